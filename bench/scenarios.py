"""What bench/compare measures of the servers of a workload. Repetitions are interleaved: every server in turn, then again.

Times are cut to a budget: a workload that is late loses repetitions, down to three, and then its optional parts; what was
left out is recorded with the result.
"""
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

import measure
from measure import MANY_PORTS, Probe, ask, busy_share, client, cpu_seconds, load_average, program, summary, taken_ms, timed
import tcp_load
from servers import ECHOES, RBLDNSD, Cannot, Setup, compared, mailzone, rbldnsd

RATES = (10000, 50000)  # queries per second of the latency figures
RELOAD_RATE = 20000
RELOAD_PATIENCE = 20    # seconds for the new data of a slow server
HOLD = 0.5              # of its throughput: the rate for a server that cannot hold a fixed one


class Clock:
    """When each part has to be done."""

    def __init__(self, limit):
        self.begun, self.limit = time.monotonic(), limit

    def spent(self):
        return time.monotonic() - self.begun

    def late(self, share):
        """Is more than this share of the budget spent?"""
        return self.limit is not None and self.spent() > share * self.limit


def wait_quiet(seconds):
    """Waits a little for a quiet moment. -> share of the cores that others use"""
    begun = time.monotonic()
    while True:
        busy = busy_share(0.5)
        if busy < measure.QUIET_BUSY or time.monotonic() - begun > seconds:
            return busy


def many_ports(running, queries, rows, budget, late):
    """CPU per answered query when hardly two queries come from the same port. Adds `ports` to the rows."""
    samples = {server.label: [] for server in running}
    for repetition in range(budget.repetitions):
        if repetition >= min(3, budget.repetitions) and late():
            break
        for server in running:
            samples[server.label].append(ask(server, queries, budget.seconds, more=MANY_PORTS)["cpu_us_per_query"])
    for label, values in samples.items():
        rows[label]["ports"] = summary(values)


def saturated(running, queries, budget, late):
    """CPU per answered query and throughput of all, each as fast as it answers. -> {label: row}"""
    samples = {server.label: [] for server in running}
    for repetition in range(budget.repetitions):
        if repetition >= min(3, budget.repetitions) and late():
            break
        for server in running:
            samples[server.label].append(ask(server, queries, budget.seconds))
    rows = {}
    for label, runs in samples.items():
        last = runs[-1]
        rows[label] = {"cpu_us": summary([r["cpu_us_per_query"] for r in runs]), "qps": summary([r["qps"] for r in runs]),
                       "answer_bytes": last["answer_bytes"], "lost": sum(r["lost"] for r in runs),
                       "hits": last["with_answer"] / max(1, last["answered"]),
                       "nxdomain": last["nxdomain"] / max(1, last["answered"]), "other_rcode": last["other_rcode"]}
    return rows


def latencies(running, queries, rows, budget, late):
    """Percentiles at fixed rates, open loop: medians of a few runs. Adds `latency` to the rows."""
    samples = {}
    for repetition in range(budget.latency_repetitions):
        if repetition >= 1 and late():
            break
        for server in running:
            most = HOLD * rows[server.label]["qps"]["median"]
            for rate in sorted({min(rate, int(most)) for rate in RATES}):
                samples.setdefault((server.label, rate), []).append(ask(server, queries, budget.seconds, rate))
    for (label, rate), runs in samples.items():
        columns = ("p50_us", "p99_us", "p999_us", "max_us", "late_us", "gap_us", "cpu_us_per_query")
        row = {c: statistics.median(r[c] for r in runs) for c in columns}
        row.update(rate=rate, lost=sum(r["lost"] for r in runs), repetitions=len(runs))
        rows[label].setdefault("latency", []).append(row)


def agreement(running, queries, count=60):
    """Questions that a server answers otherwise than the first server (ours): the number, and an example."""
    with open(queries) as lines:
        questions = [line.split() for _, line in zip(range(count), lines)]

    def answers(server):
        for name, kind in questions:
            reply = Probe(name, kind).ask(server.port, timeout=2)
            yield reply and (reply.rcode, sorted(r.text for r in reply.answer))

    wanted, found = None, {}
    for server in running:
        got = list(answers(server))
        wanted = wanted or got
        different = [i for i in range(len(got)) if got[i] != wanted[i]]
        found[server.label] = {"asked": len(got), "different": len(different)}
        if different:
            i = different[0]
            found[server.label]["example"] = "%s: %s, ours: %s" % (" ".join(questions[i]), got[i], wanted[i])
    return found


def serial(server, zone):
    try:
        reply = Probe(zone, "SOA").ask(server.port, timeout=0.2)
        return reply.answer[0].text.split()[2] if reply and reply.answer else None
    except OSError:
        return None


def reload(stage, w, setup, queries, budget, most, settled=False):
    """Data replaced under a constant load; `most`: what the server can answer in a second, or None. `settled`: not the first
    time since the server's start. -> losses, longest time without an answer, latency; steady beside it"""
    rate = min(RELOAD_RATE, int(HOLD * most)) if most else RELOAD_RATE
    setup.publish(1)                # builds what is not there yet, which would take the machine from the measurement
    server = setup.start(stage, queries)
    try:
        times, version, before = [], 0, serial(server, w.zone)

        def replace(until):
            """-> seconds, or None: not done by then."""
            nonlocal version, before
            version = 1 - version
            setup.publish(version)
            begun = time.monotonic()
            server.hang_up()
            while (now := serial(server, w.zone)) in (before, None):
                if time.monotonic() >= until:
                    return None
                time.sleep(0.02)
            before = now
            return time.monotonic() - begun

        if settled:
            replace(time.monotonic() + RELOAD_PATIENCE)
            time.sleep(1)       # what went out of service is given back
        # Long enough for one load, as long as its start took, where that is not absurd.
        lasts = max(budget.reload_seconds, min(1.5 * server.seconds_to_answer + 2 * budget.seconds, RELOAD_PATIENCE))
        steady = ask(server, queries, min(lasts, budget.reload_seconds), rate)      # a longer time has more of what is rare
        load = subprocess.Popen(client(program("udp_load"), server, queries, lasts, rate),
                                stdout=subprocess.PIPE)
        margin = min(0.5, lasts / 5)
        end = time.monotonic() + lasts - margin
        time.sleep(margin)
        while time.monotonic() < end and len(times) < budget.reloads:
            took = replace(end)
            if took is None:
                break
            times.append(took)
            time.sleep(max(0.0, 0.5 - took))
        result = json.loads(load.communicate()[0])
    finally:
        server.stop()
        setup.publish(0)
    return {"rate": rate, "reloads": len(times), "reload_s": statistics.median(times) if times else None,
            "lost": result["lost"], "sent": result["sent"], "gap_ms": result["gap_us"] / 1000,
            "p999_us": result["p999_us"], "max_us": result["max_us"], "late_us": result["late_us"],
            "steady_gap_ms": steady["gap_us"] / 1000, "steady_p999_us": steady["p999_us"], "steady_lost": steady["lost"],
            "settled": settled, "note": setup.note}


def workload(stage, w, budget, clock, share, available, state):
    """Everything of one workload. `share`: of the budget that may be spent when it ends. -> its part of the result"""
    def late():
        return clock.late(share)

    _, queries = stage.files(w)
    result = {"key": w.key, "kind": w.kind, "count": w.count, "title": w.title, "left_out": []}
    choices = compared(stage, w, available, state.get("rbldnsd_bytes"), measure.machine()["memory_bytes"])
    result["cannot"] = [{"server": c.label, "reason": c.reason} for c in choices if isinstance(c, Cannot)]
    setups = [c for c in choices if isinstance(c, Setup)]
    running = []
    try:
        for setup in setups:
            if setup.publish:
                setup.publish(0)
        result["image_bytes"] = os.path.getsize(stage.image(w))
        for setup in setups:
            try:
                running.append(setup.start(stage, queries))
            except SystemExit as error:     # also a result: no io_uring here, a peer that does not like its configuration
                if setup.label == ECHOES[0]:
                    raise
                result["cannot"].append({"server": setup.label, "reason": "did not start here: %s" % error})
        result["busy"], result["taken_ms"], result["load_average"] = wait_quiet(budget.patience), taken_ms(), load_average()
        rows = saturated(running, queries, budget, late)
        real = [s for s in running if s.label not in ECHOES]
        result["agreement"] = agreement(real, queries)
        if budget.latency(w):
            if late():
                result["left_out"].append("latency")
            else:
                latencies(running, queries, rows, budget, late)
        for server in running:
            rows[server.label]["start_s"] = server.seconds_to_answer
            rows[server.label]["memory"] = server.memory()
            if server.label not in ECHOES:
                rows[server.label]["bytes_each"] = rows[server.label]["memory"]["pss"] / w.count
        if w.kind == "domains" and "rbldnsd" in rows:
            state["rbldnsd_bytes"] = (rows["rbldnsd"]["bytes_each"], w.count)
        if budget.ports(w):
            many_ports(running, queries, rows, budget, late)
        if budget.dnsperf(w) and "dnsperf" in available:
            dnsperf(real, queries, rows, budget)
        if budget.tcp(w):
            tcp(real, queries, rows, budget, result)
    finally:
        for server in running:
            server.stop()
    if budget.reload(w):
        again = [s for s in setups if s.publish and s.label in rows and "SPF" not in s.label]
        if "rbldnsd" in rows:
            again.append(rbldnsd(stage, w, fork=True))
        for setup in again:
            if late():
                result["left_out"].append("reload of " + setup.label)
                continue
            most = rows.get(setup.label, rows.get("rbldnsd"))["qps"]["median"]
            rows.setdefault(setup.label, {})["reload"] = reload(stage, w, setup, queries, budget, most)
    if budget.build(w):
        result["build"] = build(stage, w, budget, late, available)
    result["rows"] = rows
    return result


def swap(stage, w, budget):
    """Only the replacement of a large image, by our backends, not for the first time. -> a part of the result as of workload()"""
    _, queries = stage.files(w)
    result = {"key": w.key, "kind": w.kind, "count": w.count, "title": w.title, "left_out": [], "cannot": [], "agreement": {},
              "rows": {}}
    setups = [mailzone(stage, w, io) for io in ("uring", "epoll")]
    for setup in setups:
        setup.publish(0)
    result["image_bytes"] = os.path.getsize(stage.image(w))
    result["busy"], result["taken_ms"], result["load_average"] = wait_quiet(budget.patience), taken_ms(), load_average()
    for setup in setups:
        result["rows"][setup.label] = {"reload": reload(stage, w, setup, queries, budget, None, settled=True)}
    return result


def build(stage, w, budget, late, available):
    """Text to data that can be served: our build on all cores, and rbldnsd's load by its own clock."""
    data, _ = stage.files(w)
    image = stage.path("build.mzi")
    ours, theirs = [], []
    for repetition in range(budget.build_repetitions):
        if repetition >= 1 and late():
            break
        ours.append(stage.build(w, image))
        if "rbldnsd" in available and w.kind != "spf":
            theirs.append(rbldnsd_load(stage, w))
    result = {"text_bytes": os.path.getsize(data), "image_bytes": os.path.getsize(image),
              "mailzone": {k: summary([r[k] for r in ours]) for k in ours[0]}}
    if theirs:
        result["rbldnsd"] = {k: summary([r[k] for r in theirs]) for k in theirs[0]}
    os.unlink(image)
    return result


def rbldnsd_load(stage, w):
    """Its log tells the load's elapsed and user time, in hundredths."""
    setup = rbldnsd(stage, w)
    _, queries = stage.files(w)
    port = measure.free_port()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([str(word) for word in setup.command(port)], stdout=out, stderr=out)
        try:
            Probe.first_of(queries).wait(port, process)
            with open("/proc/%d/status" % process.pid) as lines:
                peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        finally:
            process.terminate()
            process.wait()
        out.seek(0)
        m = re.search(r"time ([\d.]+)e/([\d.]+)u", out.read())
        if not m:
            raise SystemExit("%s tells no load time" % RBLDNSD)
        return {"wall": float(m[1]), "cpu": float(m[2]), "peak_kib": peak}


def dnsperf(running, queries, rows, budget):
    """The familiar client, as a cross-check. Adds `dnsperf` to the rows."""
    samples = {}
    for _ in range(min(3, budget.repetitions)):
        for server in running:
            words = ["taskset", "-c", measure.CLIENT_CORE, "dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", queries,
                     "-c", "8", "-T", "1", "-q", "384", "-l", str(max(1, round(budget.seconds)))]
            cpu = cpu_seconds(server.pids())
            out = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
            cpu = cpu_seconds(server.pids()) - cpu
            done = int(re.search(r"Queries completed:\s+(\d+)", out)[1])
            samples.setdefault(server.label, []).append(
                {"qps": float(re.search(r"Queries per second:\s+([\d.]+)", out)[1]), "cpu_us": cpu * 1e6 / max(1, done),
                 "lost": int(re.search(r"Queries lost:\s+(\d+)", out)[1])})
    for label, runs in samples.items():
        rows[label]["dnsperf"] = {k: summary([r[k] for r in runs]) for k in runs[0]}


def tcp(running, queries, rows, budget, result):
    """Queries per second over TCP by `mailzone load`: many on each connection, and one on each. Adds `tcp` to the rows."""
    reason = tcp_load.missing()
    if reason:
        result["left_out"].append("TCP: " + reason)
        return
    samples = {}
    for _ in range(min(3, budget.repetitions)):
        for server in running:
            if server.label.startswith("rbldnsd"):
                continue    # it has no TCP
            for mode in tcp_load.MODES:
                try:
                    samples.setdefault((server.label, mode), []).append(tcp_load.run(server, queries, mode, budget.seconds))
                except SystemExit as error:
                    result["left_out"].append("TCP of %s, %s: %s" % (server.label, mode, error))
    for (label, mode), runs in samples.items():
        if not runs:
            continue
        rows[label].setdefault("tcp", {})[mode] = {k: summary([r[k] for r in runs]) for k in runs[0]}


def answer_engine(seconds, left_out):
    """The answer engine alone, by its microbenchmarks: nanoseconds per query. -> {name: summary}"""
    values = {}
    for name, wanted in (("answer_bench", "AnswerBatch/domains:(1|20000)/batch:32"), ("micro_bench", "SpfZone.*batch:32")):
        words = ["taskset", "-c", measure.SERVER_CORE, program(name), "--benchmark_filter=" + wanted, "--benchmark_repetitions=3",
                 "--benchmark_min_time=%g" % seconds, "--benchmark_format=json"]
        if not os.path.exists(program(name)):   # --bin without the benchmarks
            left_out.append("the answer engine alone: there is no %s" % name)
            continue
        out = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        for row in json.loads(out)["benchmarks"]:
            if row["run_type"] == "iteration" and "ns_per_query" in row:
                values.setdefault(row["run_name"].removeprefix("BM_").removesuffix("/manual_time"), []).append(row["ns_per_query"] * 1e9)
    return {name: summary(v) for name, v in values.items()}
