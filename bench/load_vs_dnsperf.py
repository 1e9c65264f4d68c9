#!/usr/bin/env python3
"""mailzone load against dnsperf: queries sent and matched per second of one core, in one interleaved run.

  bench/load_vs_dnsperf.py                        the UDP echo as the server
  bench/load_vs_dnsperf.py --server mailzoned     our server with 570 domains
  bench/load_vs_dnsperf.py --repetitions 9 --seconds 3 --json result.json

The server runs on core 0; each generator in turn runs on core 1, with the same query file, window and number of source
ports, without EDNS. A generator's CPU time is user and system time of its whole process (start-up included) divided by
the answers that it matched. Medians; the last lines are the ratios. Keep the machine quiet: the ratio of one interleaved
run is the result, the microseconds are not.

Needs Debian's dnsperf and a build with `cmake --preset bench && cmake --build --preset bench`.
"""
import argparse
import json
import os
import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

QUERIES = 50000     # lines of the file, which both send over and over
HERE = os.path.dirname(os.path.abspath(__file__))
PROBE = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\5probe\4test\0\0\1\0\1"
bin_directory = os.path.join(os.path.dirname(HERE), "build", "bench", "bin")


def program(name):
    return os.path.join(bin_directory, name)


class Server:
    """A server process on its core; ready when it answers."""

    def __init__(self, command, core, port, log):
        self.port = port
        self.process = subprocess.Popen(["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", port))
            for _ in range(200):
                try:
                    sock.send(PROBE)
                    if select.select([sock], [], [], 0.1)[0] and sock.recv(4096):
                        return
                except ConnectionRefusedError:
                    time.sleep(0.05)
                if self.process.poll() is not None:
                    break
        self.stop()
        sys.exit("%s did not start" % command[0])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(argv, core):
    before = children_cpu()
    done = subprocess.run(["taskset", "-c", str(core), *argv], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit("%s: exit %d\n%s%s" % (argv[0], done.returncode, done.stdout, done.stderr))
    return done.stdout, children_cpu() - before


def dnsperf(args, port, queries):
    out, cpu = run(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-l", str(args.seconds), "-q",
                    str(args.window), "-c", str(args.ports), "-T", "1"], args.core)
    answers = int(re.search(r"Queries completed:\s+(\d+)", out)[1])
    lost = int(re.search(r"Queries lost:\s+(\d+)", out)[1])
    seconds = float(re.search(r"Run time \(s\):\s+([\d.]+)", out)[1])
    return {"answers": answers, "lost": lost, "per_second": answers / seconds, "cpu_us": cpu * 1e6 / answers}


def load(args, port, queries, *extra):
    out, cpu = run([program("mailzone"), "load", "127.0.0.1:%d" % port, "--queries", queries, "--no-edns", "--seconds",
                    str(args.seconds), "--warm-up", "0", "--window", str(args.window), "--ports", str(args.ports), "--json",
                    *extra], args.core)
    r = json.loads(out)["result"]
    return {"answers": r["answered"], "lost": r["lost"], "per_second": r["answers_per_second"],
            "cpu_us": cpu * 1e6 / r["answered"]}


GENERATORS = {
    "dnsperf": dnsperf,
    "mailzone load, sendmmsg": lambda a, p, q: load(a, p, q, "--engine", "mmsg"),
    "mailzone load, io_uring": lambda a, p, q: load(a, p, q, "--engine", "uring"),
    "mailzone load, sendmmsg, no trains": lambda a, p, q: load(a, p, q, "--engine", "mmsg", "--train", "1"),
}


def start_server(args, work, log):
    port = free_port()
    if args.server == "echo":
        return Server([program("udp_echo"), str(port)], args.server_core, port, log)
    image = os.path.join(work, "q.mzi")
    subprocess.run([program("mailzone"), "build", "-o", image, "_spf.bench.test:combined:" + os.path.join(work, "q.zone")],
                   check=True, stdout=log, stderr=log)
    return Server([program("mailzoned"), "--image", image, "--listen", "127.0.0.1:%d" % port, "--workers", "1"],
                  args.server_core, port, log)


def main():
    global bin_directory
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=("echo", "mailzoned"), default="echo")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--ports", type=int, default=8)
    parser.add_argument("--core", type=int, default=1, help="the generators' core")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--bin", default=bin_directory, help="where mailzone, mailzoned and udp_echo are")
    parser.add_argument("--json", help="write the result here too")
    args = parser.parse_args()
    bin_directory = args.bin
    if not shutil.which("dnsperf"):
        sys.exit("dnsperf is not installed (Debian: dnsperf)")
    args.seconds = int(args.seconds) if args.seconds == int(args.seconds) else args.seconds
    with tempfile.TemporaryDirectory(prefix="mz-load.") as work, open(os.path.join(work, "log"), "w") as log:
        queries = os.path.join(work, "q.q")
        subprocess.run([sys.executable, os.path.join(HERE, "workload.py"), "domains", "570", os.path.join(work, "q.zone"),
                        queries], check=True)
        with open(queries) as lines:
            kept = lines.readlines()[:QUERIES]
        with open(queries, "w") as out:
            out.writelines(kept)
        server = start_server(args, work, log)
        samples = {name: [] for name in GENERATORS}
        try:
            for _ in range(args.repetitions):
                for name, measure in GENERATORS.items():
                    samples[name].append(measure(args, server.port, queries))
        finally:
            server.stop()
    rows = {name: {key: statistics.median(s[key] for s in runs) for key in runs[0]} for name, runs in samples.items()}
    base = rows["dnsperf"]
    print("%-36s %12s %14s %10s" % ("generator on one core", "answers/s", "us CPU/answer", "lost"))
    for name, row in rows.items():
        print("%-36s %12.0f %14.3f %10.0f" % (name, row["per_second"], row["cpu_us"], row["lost"]))
    ratios = {name: {"per_core": base["cpu_us"] / row["cpu_us"], "per_second": row["per_second"] / base["per_second"]}
              for name, row in rows.items() if name != "dnsperf"}
    for name, ratio in ratios.items():
        print("%s / dnsperf: %.2f times the answers per CPU second, %.2f times the answers per second"
              % (name, ratio["per_core"], ratio["per_second"]))
    result = {"server": args.server, "repetitions": args.repetitions, "seconds": args.seconds, "window": args.window,
              "ports": args.ports, "rows": rows, "ratios": ratios, "samples": samples}
    print(json.dumps({"ratios": ratios}))
    if args.json:
        with open(args.json, "w") as out:
            json.dump(result, out, indent=1)


if __name__ == "__main__":
    main()
