"""What every end-to-end test uses: checks, work directories, servers started and stopped by pid, DNS clients.

A test is a function `test_*(t)` in a file test_*.py. `t` (Test) records checks, hands out directories and servers, and
stops everything at the end, also when the test raises. Ports are random, all traffic stays on loopback, every wait is
bounded.
"""
import contextlib
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import dnswire

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
REFERENCE = "/usr/sbin/rbldnsd"     # Debian's package, the program that is replaced
DEFAULT_MTIME = 1700000000          # of data files: makes serial 0 predictable
BACKENDS = ("uring", "epoll")


class Skip(Exception):
    """The machine cannot run this test. Counted as a failure by the runner."""


def backends(function):
    """Runs a test once per I/O backend: test_x(t) then finds the name in t.io."""
    function.backends = BACKENDS
    return function


def wait_until(condition, seconds=5.0, step=0.01):
    """Polls until condition() is true; returns its last value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(step)


def free_port():
    """A port that is free for UDP and TCP on 127.0.0.1 and ::1 now, outside the ephemeral range."""
    for _ in range(200):
        port = random.SystemRandom().randrange(10000, 30000)
        with contextlib.ExitStack() as stack:
            try:
                for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        sock = stack.enter_context(socket.socket(family, kind))
                        if family == socket.AF_INET6:
                            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                        sock.bind((address, port))
                return port
            except OSError:
                continue
    raise Skip("no free port")


class Process:
    """A child with its output in files. Stopped by pid, never by name."""

    def __init__(self, argv, directory, env=None, name=None, pass_fds=(), preexec=None):
        self.argv = [str(word) for word in argv]
        self.directory = pathlib.Path(directory)
        stem = name or pathlib.Path(self.argv[0]).name
        serial = len(list(self.directory.glob(f".{stem}.*.out")))
        self.out_path = self.directory / f".{stem}.{serial}.out"
        self.err_path = self.directory / f".{stem}.{serial}.err"
        clean = {key: value for key, value in os.environ.items()
                 if key not in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID")}
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                          env={**clean, **(env or {})}, pass_fds=pass_fds, preexec_fn=preexec)

    @property
    def pid(self):
        return self.popen.pid

    def stdout(self):
        return self.out_path.read_bytes().decode("latin1")

    def stderr(self):
        return self.err_path.read_bytes().decode("latin1")

    def log(self):
        return self.stdout() + self.stderr()

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds=10):
        return self.popen.wait(seconds)

    def log_mark(self):
        """A position in both streams, for log_since() and wait_log()."""
        return len(self.stdout()), len(self.stderr())

    def log_since(self, mark):
        return self.stdout()[mark[0]:] + self.stderr()[mark[1]:]

    def wait_log(self, text, mark=(0, 0), seconds=5.0):
        """Waits until `text` stands in the output behind `mark`."""
        return wait_until(lambda: text in self.log_since(mark), seconds)

    def rss_kib(self):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0

    def stop(self):
        """SIGTERM, then SIGKILL after 5 s. Returns the exit code."""
        if self.running():
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


class Client:
    """Asks one server. UDP sockets are connected, so that a reply from another address is not seen."""

    def __init__(self, port, address="127.0.0.1", source=None):
        self.port, self.address, self.source = port, address, source
        self.next_id = random.SystemRandom().randrange(1, 0x7fff)
        self.sock = None

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = None

    def _family(self):
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def udp(self):
        if self.sock is None:
            self.sock = socket.socket(self._family(), socket.SOCK_DGRAM)
            if self.source:
                self.sock.bind((self.source, 0))
            self.sock.connect((self.address, self.port))
        return self.sock

    def exchange(self, message, timeout=2.0):
        """Sends octets, returns the reply with the same ID or None."""
        sock = self.udp()
        deadline = time.monotonic() + timeout
        try:
            sock.send(message)
            while True:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([sock], [], [], left)[0]:
                    return None
                reply = sock.recv(65535)
                if reply[:2] == message[:2]:
                    return reply
        except ConnectionRefusedError:
            return None

    def ask(self, query, timeout=2.0, tries=1):
        """-> Reply or None. `query`: Query, or "NAME [TYPE]"."""
        query = as_query(query)
        for _ in range(tries):
            self.next_id = self.next_id % 0xffff + 1
            reply = self.exchange(query.encode(self.next_id), timeout)
            if reply is not None:
                return dnswire.decode(reply)
        return None

    def connect_tcp(self, timeout=5.0):
        sock = socket.socket(self._family(), socket.SOCK_STREAM)
        sock.settimeout(timeout)
        if self.source:
            sock.bind((self.source, 0))
        sock.connect((self.address, self.port))
        return sock

    def ask_tcp(self, query, timeout=5.0):
        self.next_id = self.next_id % 0xffff + 1
        message = as_query(query).encode(self.next_id)
        with self.connect_tcp(timeout) as sock:
            sock.sendall(frame(message))
            reply = read_frame(sock)
            return None if reply is None else dnswire.decode(reply)

    def ready(self):
        """True once something answers on the port."""
        try:
            return self.ask(dnswire.Query("ready.invalid"), timeout=0.2) is not None
        except dnswire.Malformed:
            return True


def as_query(query):
    if isinstance(query, str):
        return dnswire.Query(*query.split())
    return query


def frame(message):
    return struct.pack(">H", len(message)) + message


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            return None
        data += part
    return data


def read_frame(sock):
    """One length-prefixed message, or None at the end of the stream."""
    prefix = read_exactly(sock, 2)
    return None if prefix is None else read_exactly(sock, struct.unpack(">H", prefix)[0])


def write_file(path, data, mtime=DEFAULT_MTIME, mode=0o644):
    """Replaces a data file the careful way: temporary name, then rename."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data.encode("latin1") if isinstance(data, str) else data)
    temporary.chmod(mode)
    if mtime is not None:
        os.utime(temporary, (mtime, mtime))
    temporary.rename(path)


def normalise_log(text, directory=None):
    """Log lines without what differs between two runs: times, memory, ports, versions, the program's name."""
    lines = []
    for line in text.splitlines():
        if "waiting for qchild process" in line:        # a race of the reference with -f
            continue
        if directory:
            line = line.replace(f"{directory}/", "").replace(str(directory), "DIR")
        line = re.sub(r"^[^:]*: ", "", line, count=1)
        line = re.sub(r"time [\d.]+e/[\d.]+u sec, mem arena=-?\d+ free=-?\d+ mmap=-?\d+ Kb", "time T, mem M", line)
        line = re.sub(r"mem=\d+k free=\d+ waste=\d+", "mem=N free=N waste=N", line)
        line = re.sub(r"127\.0\.0\.1/\d+", "127.0.0.1/PORT", line)
        line = re.sub(r"version .* started", "version V started", line)
        line = re.sub(r"is \d+ sec in the future", "is N sec in the future", line)
        line = re.sub(r"stats for \d+sec", "stats for Nsec", line)
        lines.append(line)
    return lines


class Test:
    """One running test: its checks, its directory, its processes."""

    def __init__(self, name, options, io="uring"):
        self.name, self.options, self.io = name, options, io
        self.passed, self.failed = 0, []
        self._stack = contextlib.ExitStack()
        self._directory = None

    # ---- checks

    def check(self, what, condition, detail=""):
        """One counted check. Goes on after a failure."""
        if condition:
            self.passed += 1
            if self.options.verbose:
                print(f"  ok    {self.name}: {what}", flush=True)
        else:
            self.failed.append(what)
            print(f"  FAIL  {self.name}: {what}" + (f"\n        {detail}" if detail != "" else ""), flush=True)
        return bool(condition)

    def equal(self, what, got, want):
        return self.check(what, got == want, f"want {want!r}\n        got  {got!r}")

    def require(self, what, condition, detail=""):
        """A check without which the rest of the test makes no sense."""
        if not self.check(what, condition, detail):
            raise AssertionError(what)

    # ---- resources

    @property
    def directory(self):
        """A fresh directory that the daemon's user can enter."""
        if self._directory is None:
            self._directory = self.new_directory()
        return self._directory

    def new_directory(self):
        path = pathlib.Path(tempfile.mkdtemp(prefix="mz-e2e."))
        path.chmod(0o755)
        if self.options.keep:
            print(f"  kept  {path}")
        else:
            self._stack.callback(shutil.rmtree, path, ignore_errors=True)
        return path

    def binary(self, name):
        path = pathlib.Path(self.options.bin).resolve() / name
        if not path.exists():
            raise Skip(f"{path} is not built")
        return path

    def start(self, argv, **keywords):
        keywords.setdefault("directory", self.directory)
        process = Process(argv, **keywords)
        self._stack.callback(process.stop)
        return process

    def client(self, port, **keywords):
        client = Client(port, **keywords)
        self._stack.callback(client.close)
        return client

    def start_rbldnsd(self, specs, options=(), directory=None, program=None, port=None, ready=True, extra=None, **kw):
        """Starts our rbldnsd (or `program`) in the foreground. -> (process, client)"""
        directory = directory or self.directory
        port = port or free_port()
        argv = [program or self.binary("rbldnsd"), "-n", "-w", directory, "-b", f"127.0.0.1/{port}"]
        if os.geteuid() == 0 and "-u" not in options:
            argv += ["-u", "rbldns"]
        if extra is None:
            extra = [] if program else [f"--io={self.io}"]
        process = self.start([*argv, *extra, *options, *specs], directory=directory, **kw)
        client = self.client(port)
        if ready:
            self.wait_ready(process, client)
        return process, client

    def start_mailzoned(self, image, options=(), port=None, ready=True, address="127.0.0.1", **kw):
        """Starts mailzoned on an image. -> (process, client)"""
        port = port or free_port()
        process = self.start([self.binary("mailzoned"), "--image", image, "--listen", f"{address}:{port}",
                              f"--io={self.io}", *options], **kw)
        client = self.client(port)
        if ready:
            self.wait_ready(process, client)
        return process, client

    def wait_ready(self, process, client, seconds=15.0):
        answered = wait_until(lambda: "died" if not process.running() else client.ready(), seconds)
        if answered is not True:
            raise AssertionError(f"{process.argv[0]} did not start: {process.log()[-2000:]}")

    def build(self, image, specs, options=(), directory=None, check=True):
        """Compiles an image with `mailzone build`. -> CompletedProcess"""
        result = subprocess.run([self.binary("mailzone"), "build", "-o", str(image), *options, *specs],
                                cwd=directory or self.directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=120)
        if check and result.returncode != 0:
            raise AssertionError(f"mailzone build: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def run(self, argv, timeout=60, **keywords):
        keywords.setdefault("cwd", self.directory)
        return subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, **keywords)

    def callback(self, function, *arguments):
        self._stack.callback(function, *arguments)

    def finish(self):
        self._stack.close()


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
