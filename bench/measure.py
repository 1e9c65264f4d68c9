"""What the benchmarks share: servers on core 0, the load client on core 1, commands with their time and memory."""
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
bin_directory = os.path.join(HERE, "..", "build", "bench", "bin")


def program(name):
    return os.path.join(bin_directory, name)


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
    command = ["taskset", "-c", "1", program("udp_load"), "--server", "127.0.0.1:%d" % server.port, "--queries",
               queries, "--seconds", str(seconds)]
    for pid in server.pids():
        command += ["--pid", str(pid)]
    if rate:
        command += ["--rate", str(rate)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


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
