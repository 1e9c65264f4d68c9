#!/usr/bin/env python3
"""Benchmarks against Debian's rbldnsd and against bare floors, every comparison interleaved in one run.

  bench/run.py                    all scenarios (about 10 minutes), results in bench/results/
  bench/run.py flat               CPU per answered query at 1 and at many names, beside rbldnsd and a UDP echo
  bench/run.py load               text to served data: build of a long ip4set against rbldnsd's load, time and memory
  bench/run.py memory             image size against rbldnsd's resident memory for the same files
  bench/run.py open               opening and verifying a large image
  bench/run.py swap               100 swaps of a large image under constant load: losses and latency

Needs a build with `cmake --preset bench && cmake --build --preset bench` and Debian's rbldnsd. The server runs on
core 0, the client on core 1; keep the machine quiet. Ratios within one run are the result: absolute times on shared
machines are not.
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, "..", "build", "bench", "bin")
RBLDNSD = "/usr/sbin/rbldnsd"


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_answer(port, process, seconds=120.0):
    """Seconds until the server answers anything at all."""
    start = time.monotonic()
    probe = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + b"\x05bench\x04test\0\0\x06\0\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.02)
        s.connect(("127.0.0.1", port))
        while time.monotonic() - start < seconds:
            if process.poll() is not None:
                raise SystemExit("server ended with %s" % process.returncode)
            try:
                s.send(probe)
                s.recv(4096)
                return time.monotonic() - start
            except (socket.timeout, ConnectionRefusedError):
                time.sleep(0.005)
    raise SystemExit("no answer within %g s" % seconds)


def resident_kib(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


class Server:
    """A server process on core 0, and whatever it forked."""

    def __init__(self, label, command, port, log):
        self.label, self.port = label, port
        self.process = subprocess.Popen(["taskset", "-c", "0"] + command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.seconds_to_answer = wait_answer(port, self.process)

    def pids(self):
        return [self.process.pid]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask(server, queries, seconds, rate=0):
    command = ["taskset", "-c", "1", os.path.join(BIN, "udp_load"), "--server", "127.0.0.1:%d" % server.port, "--queries",
               queries, "--seconds", str(seconds)]
    for pid in server.pids():
        command += ["--pid", str(pid)]
    if rate:
        command += ["--rate", str(rate)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def timed(command):
    """Wall seconds, CPU seconds and peak resident KiB of one command."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    error = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode:
        raise SystemExit("%s failed: %s" % (command[0], error))
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_kib": usage.ru_maxrss}


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
            subprocess.run([os.path.join(BIN, "mailzone"), "build", "-o", image, self.spec(kind, zone)], check=True,
                           stdout=self.log, stderr=self.log)
        return image, zone, queries

    def ours(self, image, io="auto"):
        port = free_port()
        return Server("mailzone", [os.path.join(BIN, "mailzoned"), "--image", image, "--listen", "127.0.0.1:%d" % port,
                                   "--workers", "1", "--io", io], port, self.log)

    def rbldnsd(self, spec):
        port = free_port()
        return Server("rbldnsd", [RBLDNSD, "-n", "-e", "-u", "rbldns" if os.geteuid() == 0 else str(os.getuid()), "-b",
                                  "127.0.0.1/%d" % port, "-c", "0", spec], port, self.log)

    def echo(self):
        port = free_port()
        return Server("echo", [os.path.join(BIN, "udp_echo"), str(port)], port, self.log)

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
            ours.append(timed([os.path.join(BIN, "mailzone"), "build", "--full", "-o", output, spec]))
            plain.append(timed([os.path.join(BIN, "mailzone"), "build", "--full", "--no-provenance", "-o", output, spec]))
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
        out = subprocess.run([os.path.join(BIN, "image_open"), image, str(self.args.repetitions)], check=True,
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
            subprocess.run([os.path.join(BIN, "mailzone"), "build", "-o", second, self.spec("list", changed)], check=True,
                           stdout=self.log, stderr=self.log)
        live = self.path("swap_live.mzi")
        os.path.exists(live) and os.unlink(live)
        os.link(first, live)
        server = self.ours(live)
        rows = {}
        try:
            for label, swaps in (("steady", 0), ("swapping", self.args.swaps)):
                seconds = max(5.0, swaps * self.args.swap_interval)
                client = subprocess.Popen(["taskset", "-c", "1", os.path.join(BIN, "udp_load"), "--server", "127.0.0.1:%d" %
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


def show(name, result):
    print("\n== %s" % name)
    for label, row in result["rows"].items():
        print("  %-36s %s" % (label, "  ".join("%s %s" % (k, "%.4g" % v if isinstance(v, float) else v) for k, v in row.items())))
    for label, value in result["ratios"].items():
        print("  %-60s %.3f" % (label, value))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=["flat", "load", "memory", "open", "swap", []], default=[])
    parser.add_argument("--bin", help="directory of the executables (default: build/bench/bin)")
    parser.add_argument("--sizes", type=lambda s: [int(x) for x in s.split(",")], default=[1, 570, 5000, 20000])
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--swap-interval", type=float, default=0.5)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--work", help="directory for generated data, kept (default: a temporary one)")
    args = parser.parse_args()
    global BIN
    BIN = args.bin or BIN
    if args.work:
        os.makedirs(args.work, exist_ok=True)
    else:
        holder = tempfile.TemporaryDirectory(prefix="mailzone-bench.")
        args.work = holder.name
    os.chmod(args.work, 0o755)
    bench, results = Bench(args), {}
    for name in args.scenarios or ["flat", "load", "memory", "open", "swap"]:
        results[name] = getattr(bench, name)()
        show(name, results[name])
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    with open(os.path.join(HERE, "results", "latest.json"), "w") as out:
        json.dump(results, out, indent=1)
    print("\nwritten: bench/results/latest.json")


if __name__ == "__main__":
    main()
