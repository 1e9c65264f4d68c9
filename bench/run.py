#!/usr/bin/env python3
"""Benchmarks against Debian's rbldnsd and against bare floors, every comparison interleaved in one run.

  bench/run.py                    all scenarios (about 20 minutes), results in bench/results/
  bench/run.py flat               CPU per answered query at 1 and at many names, beside rbldnsd and a UDP echo
  bench/run.py load               text to served data: build of a long ip4set against rbldnsd's load, time and memory
  bench/run.py memory             image size against rbldnsd's resident memory for the same files
  bench/run.py open               opening and verifying a large image
  bench/run.py swap               100 swaps of a large image under constant load: losses and latency
  bench/run.py spf                the four of SPF hosting, also one by one:
  bench/run.py spf-cold             no state to a verified image of 570 customers, over a DNS that is far away
  bench/run.py spf-compile          5,000 and 100,000 customers from recorded answers
  bench/run.py spf-change           a provider's changed answer to the changed answer served, at 5,000 customers
  bench/run.py spf-million          1,000,000 customers: build, image, and CPU per answered query beside 1 customer

Needs a build with `cmake --preset bench && cmake --build --preset bench` and Debian's rbldnsd; spf also nsd and unbound.
The server runs on core 0, the client on core 1; keep the machine quiet. Ratios within one run are the result: absolute
times on shared machines are not.
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import measure
import spf
from measure import HERE, Server, ask, free_port, program, resident_kib, timed, wait_answer

RBLDNSD = "/usr/sbin/rbldnsd"


class Bench:
    def __init__(self, args):
        self.args = args
        self.dir = args.work
        self.log = open(os.path.join(self.dir, "servers.log"), "w")

    def path(self, name):
        return os.path.join(self.dir, name)

    def workload(self, kind, count):
        zone, queries = self.path("%s%d.zone" % (kind, count)), self.path("%s%d.q" % (kind, count))
        if not os.path.exists(queries):
            subprocess.run([sys.executable, os.path.join(HERE, "workload.py"), kind, str(count), zone, queries], check=True)
        return zone, queries

    def spec(self, kind, zone):
        return ("_spf.bench.test:combined:" if kind == "domains" else "bl.bench.test:ip4set:") + zone

    def image(self, kind, count):
        zone, queries = self.workload(kind, count)
        image = zone[:-5] + ".mzi"
        if not os.path.exists(image):
            subprocess.run([program("mailzone"), "build", "-o", image, self.spec(kind, zone)], check=True,
                           stdout=self.log, stderr=self.log)
        return image, zone, queries

    def ours(self, image, io="auto"):
        port = free_port()
        return Server("mailzone", [program("mailzoned"), "--image", image, "--listen", "127.0.0.1:%d" % port,
                                   "--workers", "1", "--io", io], port, self.log)

    def rbldnsd(self, spec):
        port = free_port()
        return Server("rbldnsd", [RBLDNSD, "-n", "-e", "-u", "rbldns" if os.geteuid() == 0 else str(os.getuid()), "-b",
                                  "127.0.0.1/%d" % port, "-c", "0", spec], port, self.log)

    def echo(self):
        port = free_port()
        return Server("echo", [program("udp_echo"), str(port)], port, self.log)

    # ---------------------------------------------------------------------------------------------- scenarios
    def flat(self):
        """CPU microseconds per answered query, median over the repetitions."""
        sizes = self.args.sizes
        servers, queries = [("echo", self.echo(), self.workload("domains", 1)[1])], {}
        for n in sizes:
            image, zone, q = self.image("domains", n)
            servers.append(("mailzone uring %d" % n, self.ours(image, "uring"), q))
            servers.append(("mailzone epoll %d" % n, self.ours(image, "epoll"), q))
            if n <= 20000:
                servers.append(("rbldnsd %d" % n, self.rbldnsd(self.spec("domains", zone)), q))
        samples = {label: [] for label, _, _ in servers}
        last = {}
        try:
            for _ in range(self.args.repetitions):
                for label, server, q in servers:
                    last[label] = ask(server, q, self.args.seconds)
                    samples[label].append(last[label]["cpu_us_per_query"])
        finally:
            for _, server, _ in servers:
                server.stop()
        rows = {}
        for label, values in samples.items():
            rows[label] = {"cpu_us": statistics.median(values), "min": min(values), "max": max(values),
                           "qps": last[label]["qps"], "lost": last[label]["lost"], "answers": last[label]["with_answer"]}
        result = {"rows": rows, "ratios": {}}
        for io in ("uring", "epoll"):
            base = rows["mailzone %s %d" % (io, sizes[0])]["cpu_us"]
            for n in sizes:
                mine = rows["mailzone %s %d" % (io, n)]["cpu_us"]
                result["ratios"]["%s %d names / %d names" % (io, n, sizes[0])] = mine / base
                result["ratios"]["%s %d names / echo" % (io, n)] = mine / rows["echo"]["cpu_us"]
                if "rbldnsd %d" % n in rows:
                    result["ratios"]["rbldnsd / %s at %d names" % (io, n)] = rows["rbldnsd %d" % n]["cpu_us"] / mine
        return result

    def load(self):
        """Build (parse, compile, write, verify) of one long list against rbldnsd's load of the same file."""
        zone, _ = self.workload("list", self.args.lines)
        spec = self.spec("list", zone)
        ours, plain, theirs = [], [], []
        for _ in range(self.args.repetitions):
            output = self.path("load.mzi")
            ours.append(timed([program("mailzone"), "build", "--full", "-o", output, spec]))
            plain.append(timed([program("mailzone"), "build", "--full", "--no-provenance", "-o", output, spec]))
            # rbldnsd -d would dump; its own log line tells the load's elapsed and user time.
            with tempfile.TemporaryFile("w+") as out:
                port = free_port()
                process = subprocess.Popen([RBLDNSD, "-n", "-u", "rbldns" if os.geteuid() == 0 else str(os.getuid()), "-b",
                                            "127.0.0.1/%d" % port, "-c", "0", spec], stdout=out, stderr=self.log)
                wait_answer(port, process)
                peak = next(int(l.split()[1]) for l in open("/proc/%d/status" % process.pid) if l.startswith("VmHWM"))
                process.terminate()
                process.wait()
                out.seek(0)
                m = re.search(r"time (\d+)\.(\d+)e/(\d+)\.(\d+)u", out.read())
                theirs.append({"wall": int(m[1]) + int(m[2]) / 100, "cpu": int(m[3]) + int(m[4]) / 100, "peak_kib": peak})
        text = os.path.getsize(zone)
        def middle(rows):
            return {k: statistics.median(r[k] for r in rows) for k in rows[0]}
        a, b, c = middle(ours), middle(plain), middle(theirs)
        return {"rows": {"mailzone build": a, "mailzone build --no-provenance": b, "rbldnsd load": c},
                "ratios": {"rbldnsd / mailzone (wall)": c["wall"] / a["wall"],
                           "rbldnsd / mailzone --no-provenance (wall)": c["wall"] / b["wall"],
                           "rbldnsd / mailzone --no-provenance (CPU)": c["cpu"] / b["cpu"],
                           "build peak memory / text": a["peak_kib"] * 1024 / text,
                           "image bytes per line": os.path.getsize(self.path("load.mzi")) / self.args.lines}}

    def memory(self):
        n = self.args.sizes[-1] if self.args.sizes[-1] <= 20000 else 20000
        image, zone, _ = self.image("domains", n)
        server, mine = self.rbldnsd(self.spec("domains", zone)), self.ours(image)
        try:
            theirs, ours = resident_kib(server.process.pid), resident_kib(mine.process.pid)
        finally:
            server.stop()
            mine.stop()
        size = os.path.getsize(image)
        return {"rows": {"image": {"bytes": size}, "mailzoned resident": {"bytes": ours * 1024},
                         "rbldnsd resident": {"bytes": theirs * 1024}, "text": {"bytes": os.path.getsize(zone)}},
                "ratios": {"rbldnsd resident / image": theirs * 1024 / size,
                           "rbldnsd resident / mailzoned resident": theirs / ours}}

    def open(self):
        """`image_bench` (built beside this) opens the same image again and again; here only the large case."""
        image, _, _ = self.image("list", self.args.lines)
        out = subprocess.run([program("image_open"), image, str(self.args.repetitions)], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def swap(self):
        """Two images of one size, published in turn by rename and SIGHUP, while a client asks at a fixed rate."""
        first, zone, queries = self.image("list", self.args.lines)
        second = self.path("swap_b.mzi")
        if not os.path.exists(second):
            changed = self.path("swap_b.zone")
            with open(zone) as source, open(changed, "w") as out:
                out.write(source.readline())
                out.write(":127.0.0.3:Listed, see $\n")
                source.readline()
                for block in iter(lambda: source.read(1 << 22), ""):
                    out.write(block)
            subprocess.run([program("mailzone"), "build", "-o", second, self.spec("list", changed)], check=True,
                           stdout=self.log, stderr=self.log)
        live = self.path("swap_live.mzi")
        os.path.exists(live) and os.unlink(live)
        os.link(first, live)
        server = self.ours(live)
        rows = {}
        try:
            for label, swaps in (("steady", 0), ("swapping", self.args.swaps)):
                seconds = max(5.0, swaps * self.args.swap_interval)
                client = subprocess.Popen(["taskset", "-c", "1", program("udp_load"), "--server", "127.0.0.1:%d" %
                                           server.port, "--queries", queries, "--seconds", str(seconds), "--rate",
                                           str(self.args.rate)], stdout=subprocess.PIPE)
                for i in range(swaps):
                    temporary = live + ".next"
                    os.link(second if i % 2 == 0 else first, temporary)
                    os.rename(temporary, live)
                    server.process.send_signal(signal.SIGHUP)
                    time.sleep(self.args.swap_interval)
                rows[label] = json.loads(client.communicate()[0])
        finally:
            server.stop()
        return {"rows": rows, "ratios": {"lost while swapping": rows["swapping"]["lost"],
                                         "p99.9 added, us": rows["swapping"]["p999_us"] - rows["steady"]["p999_us"]}}


SCENARIOS = {"flat": Bench.flat, "load": Bench.load, "memory": Bench.memory, "open": Bench.open, "swap": Bench.swap,
             "spf-cold": spf.cold, "spf-compile": spf.compile_recorded, "spf-change": spf.change, "spf-million": spf.million}
GROUPS = {"spf": [name for name in SCENARIOS if name.startswith("spf-")]}


def show(name, result):
    print("\n== %s" % name)
    for label, row in result["rows"].items():
        print("  %-36s %s" % (label, "  ".join("%s %s" % (k, "%.4g" % v if isinstance(v, float) else v) for k, v in row.items())))
    for label, value in result["ratios"].items():
        print("  %-60s %.3f" % (label, value))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, *GROUPS, []], default=[])
    parser.add_argument("--bin", help="directory of the executables (default: build/bench/bin)")
    parser.add_argument("--sizes", type=lambda s: [int(x) for x in s.split(",")], default=[1, 570, 5000, 20000])
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--swap-interval", type=float, default=0.5)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--customers", type=lambda s: [int(x) for x in s.split(",")], default=[570, 5000, 100000, 1000000],
                        help="of spf-cold; spf-compile and spf-change; spf-compile; spf-million")
    parser.add_argument("--delays", type=lambda s: [float(x) for x in s.split(",")], default=[0, 60],
                        help="of spf-cold: milliseconds of every DNS question")
    parser.add_argument("--changes", type=int, default=20, help="of spf-change")
    parser.add_argument("--work", help="directory for generated data, kept (default: a temporary one)")
    parser.add_argument("--results", default=os.path.join(HERE, "results", "latest.json"), help="file for the figures")
    args = parser.parse_args()
    measure.bin_directory = args.bin or measure.bin_directory
    if args.work:
        os.makedirs(args.work, exist_ok=True)
    else:
        holder = tempfile.TemporaryDirectory(prefix="mailzone-bench.")
        args.work = holder.name
    os.chmod(args.work, 0o755)
    bench, results = Bench(args), {}
    for name in [s for word in args.scenarios or SCENARIOS for s in GROUPS.get(word, [word])]:
        results[name] = SCENARIOS[name](bench)
        show(name, results[name])
    os.makedirs(os.path.dirname(os.path.abspath(args.results)), exist_ok=True)
    with open(args.results, "w") as out:
        json.dump(results, out, indent=1)
    print("\nwritten: " + os.path.relpath(args.results))


if __name__ == "__main__":
    main()
