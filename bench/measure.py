"""What the benchmarks share: servers on one core and the client on another, commands with their time and memory, figures.

CPU time is what the scheduler gave to all threads of a server, user and system, read by the client over exactly the window
in which it counts answers (tools/udp_load.cc).
"""
import json
import os
import platform
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
bin_directory = os.path.join(ROOT, "build", "bench", "bin")

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import dnswire                          # noqa: E402
from harness import free_port           # noqa: E402,F401  (for UDP and TCP, outside the ephemeral range)

QUIET_BUSY = 0.05       # share of the cores that others may use in a run that calls itself quiet
QUIET_TAKEN_MS = 2      # for which the server's core may be gone in such a run
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = str(CORES[0]), str(CORES[min(1, len(CORES) - 1)])


def program(name):
    return os.path.join(bin_directory, name)


BUILT = ("mailzone", "mailzoned", "udp_load", "udp_echo", "uring_echo", "udp_delay", "answer_bench", "micro_bench")


def build():
    """The programs that are measured and those that measure, into build/bench."""
    for command in (["cmake", "--preset", "bench"], ["cmake", "--build", "--preset", "bench", "--target", *BUILT]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit("%s failed:\n%s" % (" ".join(command), done.stdout[-3000:]))


# ------------------------------------------------------------------------------------------------------ figures
def middle(rows):
    """Median of each column of equal dictionaries of numbers."""
    return {k: statistics.median(r[k] for r in rows) for k in rows[0]}


def summary(values):
    """Median, range and number of repetitions."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "repetitions": len(values)}


# ------------------------------------------------------------------------------------------------------ machine
def machine():
    model = "unknown"
    memory = 0
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as lines:
        memory = int(next(line for line in lines if line.startswith("MemTotal")).split()[1]) * 1024
    return {"cpu": model, "cores": len(CORES), "memory_bytes": memory, "kernel": platform.release(),
            "architecture": platform.machine(), "server_core": int(SERVER_CORE), "client_core": int(CLIENT_CORE)}


def busy_share(seconds=1.0):
    """Share of all cores that was not idle for this long, steal included: what others do while nothing is measured."""
    def read():
        with open("/proc/stat") as lines:
            fields = [int(x) for x in lines.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    total, idle = read()
    time.sleep(seconds)
    total2, idle2 = read()
    return 1 - (idle2 - idle) / max(1, total2 - total)


def taken_ms(seconds=0.3):
    """The longest time, in milliseconds, for which a loop on the server's core did not run: other programs, or a host that gives
    its processors to others, which the machine's own statistics need not show."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    try:
        begun = last = time.monotonic_ns()
        longest = 0
        while last - begun < seconds * 1e9:
            now = time.monotonic_ns()
            longest, last = max(longest, now - last), now
    finally:
        os.sched_setaffinity(0, allowed)
    return longest / 1e6


def load_average():
    return os.getloadavg()[0]


# ------------------------------------------------------------------------------------------------------ processes
def process_tree(pid):
    """The process and all its children."""
    found = [pid]
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread)) as children:
                for child in children.read().split():
                    found += process_tree(int(child))
    except FileNotFoundError:
        pass
    return found


def resident_kib(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def memory(pids):
    """Octets: `pss` (shared pages divided among their users), of it `anonymous` (private) and `file` (mapped files)."""
    total = {"pss": 0, "anonymous": 0, "file": 0}
    names = {"Pss:": "pss", "Pss_Anon:": "anonymous", "Pss_File:": "file"}
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as lines:
            for line in lines:
                words = line.split()
                if words[0] in names:
                    total[names[words[0]]] += int(words[1]) * 1024
    return total


class Probe:
    """One question and how to see that it is answered. `answered`: the reply must have a record; else any reply will do."""

    def __init__(self, name, kind, answered=True):
        self.query, self.answered = dnswire.Query(name, kind), answered

    @classmethod
    def first_of(cls, queries, answered=True):
        with open(queries) as lines:
            return cls(*lines.readline().split(), answered)

    def ask(self, port, timeout=0.5):
        """-> the reply, or None"""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", port))
            return self._exchange(s, timeout)

    def _exchange(self, s, timeout):
        try:
            s.send(self.query.encode(7))
            deadline = time.monotonic() + timeout
            while select.select([s], [], [], max(0.0, deadline - time.monotonic()))[0]:
                message = s.recv(65535)
                if message[:2] == b"\0\7":
                    return message if not self.answered else dnswire.decode(message)
        except (ConnectionRefusedError, dnswire.Malformed):
            pass
        return None

    def wait(self, port, process, seconds=300.0):
        """Seconds from now until the server answers as it should."""
        start = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", port))
            while (passed := time.monotonic() - start) < seconds:
                if process.poll() is not None:
                    raise SystemExit("server ended with %s" % process.returncode)
                pause = min(0.02, 0.0005 + passed / 200)
                reply = self._exchange(s, pause)
                if reply is not None and (not self.answered or reply.answer):
                    return time.monotonic() - start
                time.sleep(pause / 4)
        raise SystemExit("no answer within %g s" % seconds)


class Server:
    """A server process on the server's core, and whatever it forked. `command`: its words."""

    def __init__(self, label, command, port, log, probe, wait_seconds=300.0):
        self.label, self.port = label, port
        started = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE] + [str(word) for word in command],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            probe.wait(port, self.process, wait_seconds)
        except SystemExit as error:
            self.stop()
            raise SystemExit("%s: %s" % (label, error)) from None
        self.seconds_to_answer = time.monotonic() - started

    def pids(self):
        return process_tree(self.process.pid)

    def memory(self):
        return memory(self.pids())

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# ------------------------------------------------------------------------------------------------------ commands
def cpu_seconds(pids):
    """Of all threads of the processes, exact."""
    total = 0
    for pid in pids:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as f:
                total += int(f.read().split()[0])
    return total / 1e9


def client(command, server, queries, seconds, rate=0, pids=()):
    words = ["taskset", "-c", CLIENT_CORE, command, "--server", "127.0.0.1:%d" % server.port, "--queries", queries,
             "--seconds", str(seconds)]
    for pid in pids:
        words += ["--pid", str(pid)]
    return words + (["--rate", str(rate)] if rate else [])


# Queries that come one by one and nearly each from another port, as from many resolvers: replies to the same client, which a
# server may send together, hardly exist. Without these words udp_load has eight ports and asks in trains.
MANY_PORTS = ["--sockets", "1000", "--train", "1", "--window", "1000"]


def ask(server, queries, seconds, rate=0, more=()):
    """One measurement: as fast as it answers, or at a rate. `more`: words for udp_load. -> its figures"""
    words = client(program("udp_load"), server, queries, seconds, rate, server.pids()) + list(more)
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)


def timed(command, out=subprocess.DEVNULL):
    """Wall seconds, CPU seconds and peak resident KiB of one command; 0 when it had no more than this program, whose peak a
    child begins with. `out`: a file for its standard output."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    error = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode:
        raise SystemExit("%s failed: %s" % (command[0], error))
    peak = usage.ru_maxrss if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss else 0
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_kib": peak}


def replay_config(directory, recording, names, prefix="", zone="_spf.bench.test"):
    """A configuration that builds SPF zones from recorded answers. -> its path; the image is spf.mzi beside it"""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "mailzone.toml")
    with open(path, "w") as out:
        out.write(f"""[server]
image = "spf.mzi"
[resolver]
replay = "{recording}"
[[zone]]
name = "{zone}"
type = "spf"
ns = ["ns1.flat.example"]
hostmaster = "hostmaster@flat.example"
domains_file = "{names}"
""" + (f'source_prefix = "{prefix}"\n' if prefix else ""))
    return path
