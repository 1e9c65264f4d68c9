"""The benchmarks of SPF hosting; bench/run.py runs them.

The internet in a box of the end-to-end tests (tests/e2e/internet.py: generated customers and provider zones, NSD, unbound
in front) is the DNS of all but the largest.
"""
import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import re
import select
import socket
import statistics
import subprocess
import sys
import threading
import time

from measure import HERE, Probe, Server, ask, free_port, middle, program, replay_config, timed
from servers import Workload, echo

sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
import harness              # noqa: E402
import spf_world            # noqa: E402
from dnswire import Query   # noqa: E402
from internet import Internet  # noqa: E402

SO_RCVBUFFORCE = 33                             # of Linux; the socket module has no name for it
PREFIX = "_xpg8"                                # of the source records
CHANGING = "spf.protection.outlook.com"         # the provider most customers include
ADDRESS = "192.0.2.77"                          # what it names and names no more


@contextlib.contextmanager
def box(customers, **keywords):
    options = argparse.Namespace(bin=program(""), keep=False, verbose=False)
    stage = harness.Test("bench", options)
    try:
        yield stage, Internet(stage, customers=customers, **keywords)
    finally:
        stage.finish()


def fresh(config):
    """Removes what an earlier build left beside the configuration. -> path of the image"""
    image = pathlib.Path(config).with_name("spf.mzi")
    for path in image.parent.glob(image.name + "*"):
        if path.is_file():
            path.unlink()
    return image


def build(config):
    """One build from nothing. -> figures"""
    fresh(config)
    with open(str(config) + ".json", "w+") as out:
        row = timed([program("mailzone"), "build", "--full", "--json", str(config)], out)
        out.seek(0)
        report = json.load(out)
    row["questions"], row["incomplete"] = report["spf"]["questions"], report["spf"]["incomplete"]
    row["image_bytes"] = report["image"]["bytes"]
    row.update(report["spf"]["seconds"])
    row["seconds"] = report["seconds"]
    return row


# ------------------------------------------------------------------------------------------------------ spf-cold
class Relay:
    """udp_delay in front of a port of this host."""

    def __init__(self, target, delay_ms):
        self.port = free_port()
        self.process = subprocess.Popen([program("udp_delay"), str(self.port), str(target), str(delay_ms)],
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()      # "ready"

    def stop(self):
        """-> its counts"""
        self.process.terminate()
        return json.loads(self.process.communicate()[0])


def recorded(path):
    with open(path) as lines:
        return {(a["name"], a["type"]): a.get("rdata", []) for a in map(json.loads, lines)}


def waves(answers, domains):
    """The questions of a recording in the order in which they become known: [[(name, type)]], one list per round trip."""
    known, order = set(), []

    def follow(name, kind):
        where = name[len(PREFIX) + 1:] if name.startswith(PREFIX + ".") else name
        for rdata in answers[name, kind]:
            text = "".join(rdata) if isinstance(rdata, list) else rdata
            if kind == "MX":
                host = text.split()[-1].rstrip(".")
                yield from ((host, "A"), (host, "AAAA"))
            elif kind == "TXT" and text.lower().startswith("v=spf1"):
                for word in text.lower().split()[1:]:
                    m = re.match(r"[-+~?]?(include:|redirect=|a\b|mx\b)[:]?([^/]*)", word)
                    target = m and (m[2] or where)
                    if m and m[1] in ("include:", "redirect="):
                        yield target, "TXT"
                    elif m and m[1] == "mx":
                        yield target, "MX"
                    elif m:
                        yield from ((target, "A"), (target, "AAAA"))

    wave = [(PREFIX + "." + d, "TXT") for d in domains]
    while wave:
        wave = [q for q in dict.fromkeys(wave) if q in answers and q not in known]
        known.update(wave)
        order.append(wave)
        wave = [q for name, kind in wave for q in follow(name, kind)]
    return [w for w in order if w], len(answers) - len(known)


def bare_loop(port, order):
    """Wall seconds of asking all questions of each wave at once and waiting for all its answers, with no work at all."""
    messages = [[Query(name, kind, flags=("rd",), edns=1232).encode(i & 0xffff) for i, (name, kind) in enumerate(wave)]
                for wave in order]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE if os.geteuid() == 0 else socket.SO_RCVBUF, 8 << 20)
        s.connect(("127.0.0.1", port))
        start = time.monotonic()
        for wave in messages:
            for message in wave:
                s.send(message)
            for _ in wave:
                if not select.select([s], [], [], 5)[0]:
                    raise SystemExit("the bare loop lost an answer")
                s.recv(4096)
        return time.monotonic() - start


def cold(bench):
    """No state at all to a verified image, the resolver's cache warm and the resolver far away."""
    args = bench.args
    builds, loops, counts = {d: [] for d in args.delays}, {d: [] for d in args.delays}, {}
    with box(args.customers[0]) as (stage, world):
        # The resolver's cache is filled by a first build, which is also the recording that tells the waves.
        recording = stage.directory / "answers.jsonl"
        config = world.write_config(stage.directory)
        template = config.read_text()
        config.write_text(template.replace("[resolver]\n", f'[resolver]\nrecord = "{recording}"\n'))
        build(config)
        order, other = waves(recorded(recording), world.domains)
        for _ in range(args.repetitions):
            for delay in args.delays:
                relay = Relay(world.resolver_port, delay)
                try:
                    config.write_text(template.replace(world.forwarder, f"127.0.0.1@{relay.port}"))
                    builds[delay].append(build(config))
                finally:
                    counts[delay] = relay.stop()
                relay = Relay(world.resolver_port, delay)
                try:
                    loops[delay].append(bare_loop(relay.port, order))
                finally:
                    relay.stop()
    rows, ratios = {}, {}
    for delay in args.delays:
        rows["%d customers, %g ms" % (args.customers[0], delay)] = row = {
            **middle(builds[delay]), "wall_max": max(b["wall"] for b in builds[delay]), "asked": counts[delay]["queries"],
            "truncated": counts[delay]["truncated"], "lost": counts[delay]["dropped"] + counts[delay]["unanswered"]}
        floor = statistics.median(loops[delay])
        rows["bare loop, %g ms" % delay] = {"wall": floor, "questions": sum(map(len, order)), "waves": len(order),
                                            "other_questions": other}
        ratios["build / bare loop, %g ms" % delay] = row["wall"] / floor
        if delay == 60 and args.customers[0] == 570:
            ratios["wall / goal of 0.6 s, 60 ms"] = row["wall"] / 0.6
    return {"rows": rows, "ratios": ratios}


# --------------------------------------------------------------------------------------------------- spf-compile
def record(customers, path, names):
    with box(customers) as (stage, world):
        names.write_text("".join(d + "\n" for d in world.domains))
        config = world.write_config(stage.directory)
        stubs = ", ".join(f'"{zone}=127.0.0.1@{world.authority_port}"' for zone in world.zones)
        config.write_text(config.read_text().replace(
            f'forwarders = ["{world.forwarder}"]', f'stubs = [{stubs}]\nin_flight = 512\nrecord = "{path}"'))
        build(config)


def recording_of(bench, customers):
    """The recorded answers of a box of customers, and the names. Kept in the work directory."""
    path = pathlib.Path(bench.path("customers%d.jsonl" % customers))
    names = pathlib.Path(str(path) + ".domains")
    if not path.exists():
        # In a process of its own: what the box needs would hide the memory of the builds (measure.timed).
        child = multiprocessing.get_context("fork").Process(target=record, args=(customers, path, names))
        child.start()
        child.join()
        if child.exitcode != 0:
            raise SystemExit("no recording of %d customers" % customers)
    return path, names


def recorded_config(bench, recording, names):
    return pathlib.Path(replay_config(bench.path(recording.stem), recording, names, PREFIX, "_spf.flat.example"))


def without_reading(row):
    """Seconds of a replayed build but for the reading of the recording."""
    return row["seconds"] - row["replay"]


def compile_recorded(bench):
    """Compiling from recorded answers: all of it, and what is left without the reading of the recording."""
    args, goals = bench.args, {5000: 0.25, 100000: 6.0}
    rows, ratios = {}, {}
    configs = [(n, recorded_config(bench, *recording_of(bench, n))) for n in args.customers[1:3]]
    samples = {n: [] for n, _ in configs}
    for _ in range(args.repetitions):
        for n, config in configs:
            row = build(config)
            row["compiled"] = without_reading(row)
            samples[n].append(row)
    for n, _ in configs:
        rows["%d customers" % n] = row = middle(samples[n])
        ratios["%d customers: us per customer without reading" % n] = row["compiled"] / n * 1e6
        if n in goals:
            ratios["%d customers: compiled / goal of %g s" % (n, goals[n])] = row["compiled"] / goals[n]
            ratios["%d customers: wall / goal of %g s" % (n, goals[n])] = row["wall"] / goals[n]
            ratios["%d customers: CPU / goal of %g s" % (n, goals[n])] = row["cpu"] / goals[n]
    return {"rows": rows, "ratios": ratios}


# ---------------------------------------------------------------------------------------------------- spf-change
class Provider:
    """An authority of one name whose TXT may be replaced, TTL 1 second. `sent_at`: when the present text first left."""

    def __init__(self, name):
        self.name, self.text, self.sent_at = name, "", None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def set(self, text):
        world = spf_world.World(ttl=1)
        world.add(self.name, [["TXT", text]])
        self.sent_at, self.world = None, world

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
                world = self.world
                reply = world.answer(query, True, silence=False)
                is_text = b"\0\x10\0\x01" in query     # TXT IN
                now = time.monotonic()
                self.socket.sendto(reply, peer)
                if is_text and world is self.world and self.sent_at is None:
                    self.sent_at = now
            except OSError:
                return

    def close(self):
        self.socket.close()


def change(bench):
    """From the moment at which the changed answer left its authority to the changed answer served."""
    args, customers = bench.args, bench.args.customers[1]
    provider = Provider(CHANGING)
    with box(customers, stubs={CHANGING: provider.port}) as (stage, world):
        stage.callback(provider.close)
        reply = world.authority.ask(Query(CHANGING, "TXT", edns=4096))
        text = next(t for t in (strings_of(r.rdata) for r in reply.answer) if t.startswith("v=spf1"))
        texts = [text, text.replace("v=spf1 ", f"v=spf1 ip4:{ADDRESS} ", 1)]
        provider.set(texts[0])
        port = harness.free_port()
        config = world.write_config(stage.directory, listen=[f"127.0.0.1:{port}"],
                                    more="[spf]\nmin_refresh = 1\nwrite_interval = 1")
        served = stage.start([program("mailzone"), "serve", config])
        client = stage.client(port)
        stage.wait_ready(served, client, seconds=60)
        users = [d for d in world.domains if f"include:{CHANGING}" in world.sources[d].lower()]
        # One whose answer depends on it: found by the first change itself.
        questions = [Query(".".join(reversed(ADDRESS.split("."))) + f".{d}.{world.zone}", "TXT") for d in users[:50]]
        before = [answer_of(client, q) for q in questions]
        provider.set(texts[1])
        probe = harness.wait_until(
            lambda: next((q for q, b in zip(questions, before) if answer_of(client, q) != b), None), 20)
        if probe is None:
            raise SystemExit("no answer changed: " + served.log()[-1000:])
        latencies, announced, lost = [], [], 0
        for i in range(args.changes):
            time.sleep(1.3 + 0.037 * i % 1)           # the write interval over, at any phase of the second
            old = answer_of(client, probe)
            mark = served.log_mark()
            provider.set(texts[i % 2])
            deadline = time.monotonic() + 15
            while answer_of(client, probe) == old and time.monotonic() < deadline:
                time.sleep(0.0005)
            now = time.monotonic()
            if now >= deadline or provider.sent_at is None:
                lost += 1
                continue
            latencies.append((now - provider.sent_at) * 1000)
            if served.wait_log("us after the first answer", mark, 5):
                announced.append(int(re.search(r"(\d+) us after the first answer", served.log_since(mark))[1]) / 1000)
    row = {"median_ms": statistics.median(latencies), "min_ms": min(latencies), "max_ms": max(latencies),
           "of_it_in_the_compiler_ms": statistics.median(announced) if announced else 0, "changes": len(latencies),
           "not_seen": lost, "customers_of_the_provider": len(users)}
    return {"rows": {"%d customers" % customers: row}, "ratios": {"median / goal of 100 ms": row["median_ms"] / 100,
                                                                   "worst / goal of 100 ms": row["max_ms"] / 100}}


def strings_of(rdata):
    out, i = b"", 0
    while i < len(rdata):
        out += rdata[i + 1:i + 1 + rdata[i]]
        i += 1 + rdata[i]
    return out.decode()


def answer_of(client, query):
    reply = client.ask(query, timeout=1.0, tries=3)
    return reply and [r.rdata for r in reply.answer]


# --------------------------------------------------------------------------------------------------- spf-million
def generated(bench, customers):
    """-> (configuration, queries) of customers that no DNS ever knew"""
    recording, queries = bench.files(Workload("spf", customers, queries=1000000))
    return pathlib.Path(replay_config(bench.path("spf-%d" % customers), recording, recording + ".domains")), queries


def serve(bench, image, io, queries):
    port = free_port()
    return Server(io, [program("mailzoned"), "--image", image, "--listen", "127.0.0.1:%d" % port, "--workers", "1", "--io", io],
                  port, bench.log, Probe.first_of(queries))


def million(bench):
    """A recording of very many customers: its build, and CPU per answered query beside an image of one customer."""
    args, count = bench.args, bench.args.customers[3]
    rows, ratios, images = {}, {}, {}
    for n in (1, count):
        config, queries = generated(bench, n)
        rows["build of %d" % n] = row = build(config)
        row["compiled"] = without_reading(row)
        images[n] = (config.with_name("spf.mzi"), queries)
    row = rows["build of %d" % count]
    ratios["peak memory / goal of 8 GB"] = row["peak_kib"] * 1024 / 8e9
    ratios["image / goal of 300 MB"] = row["image_bytes"] / 300e6
    ratios["image bytes per customer"] = row["image_bytes"] / count
    servers = [("echo", echo().start(bench, images[1][1]), images[1][1])]
    try:
        for io in ("uring", "epoll"):
            for n, (image, queries) in images.items():
                servers.append(("%s %d" % (io, n), serve(bench, str(image), io, queries), queries))
        samples, last = {label: [] for label, _, _ in servers}, {}
        for _ in range(args.repetitions):
            for label, server, queries in servers:
                last[label] = ask(server, queries, args.seconds)
                samples[label].append(last[label]["cpu_us_per_query"])
    finally:
        for _, server, _ in servers:
            server.stop()
    for label, values in samples.items():
        rows[label] = {"cpu_us": statistics.median(values), "min": min(values), "max": max(values), "qps": last[label]["qps"],
                       "lost": last[label]["lost"], "answers": last[label]["with_answer"]}
    for io in ("uring", "epoll"):
        mine, one = rows["%s %d" % (io, count)]["cpu_us"], rows["%s 1" % io]["cpu_us"]
        ratios["%s: CPU per query, %d customers / 1 customer" % (io, count)] = mine / one
        ratios["%s: CPU per query, %d customers / echo" % (io, count)] = mine / rows["echo"]["cpu_us"]
    return {"rows": rows, "ratios": ratios}
