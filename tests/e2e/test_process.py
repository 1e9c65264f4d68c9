"""The rbldnsd personality as a process, side by side with the real one: daemon mode, pid file, privileges, signals,
statistics file, query log; and the systemd protocols."""
import os
import pwd
import re
import signal
import socket
import subprocess
import time

import harness
import zones
from dnswire import Query

USER = "rbldns"
TRAFFIC = [
    Query("2.0.0.127.bl.test"), Query("2.0.0.127.BL.test", "TXT"), Query("9.9.9.9.bl.test"), Query("bl.test", "SOA"),
    Query("bl.test", "NS"), Query("2.0.0.127.bl.test", "CAA"), Query("a\\.b\\@c\\032d.bl.test"), Query(".", "NS"),
    Query("2.0.0.127.bl.test", "A", "ANY"), Query("version.bind", "TXT", "CH"), Query("2.0.0.127.bl.test", "TYPE0"),
    Query("2.0.0.127.bl.test", "TYPE41"), Query("2.0.0.127.bl.test", "TYPE99"), Query("x.dn.test", "A"),
    Query("plain.example.dn.test", "ANY"), Query("\\000\\255.dn.test"), Query("www.example.com", "AAAA"),
    Query("2.0.0.127.bl.test", "A", opcode=2), Query("2.0.0.127.bl.test", "A", "CLASS9"),
]


class Pair:
    """Debian's rbldnsd and ours with the same options, each in its own directory."""

    def __init__(self, t, options, foreground=True, extra=()):
        self.t, self.sides = t, {}
        for name, program in (("reference", harness.REFERENCE), ("ours", t.binary("rbldnsd"))):
            directory = t.new_directory()
            zones.write_lists(directory)
            # Without glue: row glue-compression of docs/COMPATIBILITY.md makes such replies longer than rbldnsd's.
            harness.write_file(directory / "addresses", zones.LISTS["addresses"].replace("$NS 7200 ns1.bl.test", "$NS 7200 ns1.out.test"))
            if os.geteuid() == 0:
                account = pwd.getpwnam(USER)
                os.chown(directory, account.pw_uid, account.pw_gid)
            port = harness.free_port()
            argv = [program, "-w", directory, "-b", f"127.0.0.1/{port}"]
            # The pid file is written before the change of directory, so its name must be absolute.
            argv += ["-n", *options] if foreground else ["-p", directory / "pid", *options]
            if os.geteuid() == 0:
                argv += ["-u", USER]
            if name == "ours":
                argv += [f"--io={t.io}", "--ent=nxdomain", *extra]
            process = t.start([*argv, *zones.SPECS], directory=directory, name=name)
            self.sides[name] = (directory, process, t.client(port))

    def __iter__(self):
        return iter(self.sides.items())


def daemon_pid(directory):
    text = (directory / "pid").read_text()
    return int(text) if re.fullmatch(r"\d+\n", text) else None


def send_traffic(client):
    for query in TRAFFIC:
        client.ask(query, timeout=1)
    client.exchange(b"\0\1short", timeout=0.1)      # dropped, but counted


def identity(pid):
    fields = {}
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            key, _, value = line.partition(":")
            if key in ("Uid", "Gid", "Groups"):
                fields[key] = value.split()
    return fields


def stop_daemon(pid):
    harness.kill(pid, signal.SIGTERM)
    harness.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 5)


@harness.backends
def test_daemon(t):
    """Without -n: the parent ends with 0 once data are loaded; the child has pid file, log, statistics, rights."""
    pair = Pair(t, ["-l", "query.log", "-s", "stats", "-c", "1h"], foreground=False)
    results = {}
    for name, (directory, process, client) in pair:
        code = process.wait(20)
        pid = daemon_pid(directory)
        t.check(f"{name}: pid file holds one decimal number and a line end", pid is not None)
        t.callback(stop_daemon, pid)
        t.require(f"{name}: answers when the parent has ended", client.ask("2.0.0.127.bl.test") is not None)
        shown = identity(pid)
        session = os.getsid(pid) != os.getsid(0)
        mode = (directory / "pid").stat().st_mode & 0o777
        send_traffic(client)
        harness.kill(pid, signal.SIGUSR1)
        harness.wait_until(lambda: len((directory / "stats").read_text().splitlines()) >= 2, 5)
        send_traffic(client)
        harness.kill(pid, signal.SIGUSR2)
        harness.wait_until(lambda: len((directory / "stats").read_text().splitlines()) >= 4, 5)
        send_traffic(client)
        stop_daemon(pid)
        ended = not os.path.exists(f"/proc/{pid}")
        stats = [re.sub(r"^\d{9,11}", "EPOCH", line) for line in (directory / "stats").read_text().splitlines()]
        log = [re.sub(r"^\d{9,11} ", "EPOCH ", line) for line in (directory / "query.log").read_text().splitlines()]
        results[name] = {"exit code of the parent": code, "identity": shown, "own session": session, "pid file mode": mode,
                         "ends at SIGTERM": ended, "statistics": stats, "query log": log,
                         "pid file stays": (directory / "pid").exists(),
                         "stdout": harness.normalise_log(process.stdout(), directory),
                         "stderr": harness.normalise_log(process.stderr(), directory)}
    # version.bind has another text, and so another size, in both: made equal before comparing.
    for what, want in results["reference"].items():
        got = results["ours"][what]
        if what == "query log":
            want, got = ([re.sub(r"(version.bind TXT CH: NOERROR/1)/\d+", r"\1/SIZE", line) for line in x] for x in (want, got))
        if what == "statistics":
            want, got = ([drop_total_out(line) for line in x] for x in (want, got))
        if what in ("stdout", "stderr"):
            want, got = sorted(want), sorted(got)
        t.equal(what, got, want)
    t.check("the reference had something to compare", len(results["reference"]["query log"]) > 50 and
            len(results["reference"]["statistics"]) >= 5, str(results["reference"]["statistics"]))


def drop_total_out(line):
    """The total counts the octets of version.bind replies, which differ by the length of the version."""
    return re.sub(r"(\*:\d+:\d+:\d+:\d+):\d+$", r"\1:OUT", line)


@harness.backends
def test_signals_in_foreground(t):
    """SIGUSR1 and SIGUSR2 log the counters, SIGTERM and SIGINT end with 0."""
    for final in (signal.SIGTERM, signal.SIGINT):
        pair = Pair(t, ["-s", "+stats", "-c", "0"])
        logs = {}
        for name, (directory, process, client) in pair:
            t.wait_ready(process, client)
            send_traffic(client)
            for number, count in ((signal.SIGUSR1, 1), (signal.SIGUSR2, 2)):
                process.signal(number)
                harness.wait_until(lambda: process.stdout().count("stats for") >= 3 * count, 5)
            process.signal(final)
            try:
                code = process.wait(5)
            except subprocess.TimeoutExpired:
                code = "still running"
            lines = harness.normalise_log(process.stdout(), directory)
            lines = [re.sub(r"(Nsec: tot=\d+ ok=\d+ nxd=\d+ err=\d+ in=\d+ out)=\d+", r"\1=OUT", line) for line in lines
                     if "stats" in line or "terminating" in line]
            stats = [drop_total_out(re.sub(r"^\d{9,11}", "EPOCH", line)) for line in (directory / "stats").read_text().splitlines()]
            logs[name] = (code, uncount_ready(lines), uncount_ready(stats))
            client.close()
        for part, what in enumerate(("exit code", "log", "statistics with deltas")):
            t.equal(f"{final.name}: {what}", logs["ours"][part], logs["reference"][part])


def uncount_ready(lines):
    """The readiness probes before the traffic differ in number between two runs: totals before USR2 are cut out."""
    return [re.sub(r"\*:[\d:]+OUT", "*:TOTAL", re.sub(r"(stats for Nsec): tot.*", r"\1: TOTAL", line)) for line in lines]


def test_sigterm_during_load(t):
    """rbldnsd loses a SIGTERM that arrives while it loads."""
    harness.write_file(t.directory / "list", zones.listed("big", 400_000))
    process, client = t.start_rbldnsd(["bl.test:ip4set:list"], ["-c", "0"])
    harness.write_file(t.directory / "list", zones.listed("big", 400_001), mtime=harness.DEFAULT_MTIME + 9)
    process.signal(signal.SIGHUP)
    time.sleep(0.05)
    process.signal(signal.SIGTERM)
    try:
        code = process.wait(10)
    except subprocess.TimeoutExpired:
        code = "still running"
    t.equal("SIGTERM during a reload ends the program", code, 0)
    del client


@harness.backends
def test_query_log_reopened(t):
    """SIGHUP reopens the query log (rotation); -l + writes line by line."""
    pair = Pair(t, ["-l", "+query.log", "-c", "0"])
    for name, (directory, process, client) in pair:
        t.wait_ready(process, client)
        client.ask("2.0.0.127.bl.test")
        t.check(f"{name}: the line is there at once", harness.wait_until(lambda: "2.0.0.127" in (directory / "query.log").read_text(), 2))
        (directory / "query.log").rename(directory / "query.log.1")
        process.signal(signal.SIGHUP)
        t.check(f"{name}: the log is opened again", harness.wait_until((directory / "query.log").exists, 5))
        client.ask("9.9.9.9.bl.test")
        t.check(f"{name}: and written", harness.wait_until(lambda: "9.9.9.9" in (directory / "query.log").read_text(), 2))


@harness.backends
def test_second_change_within_a_second(t):
    """rbldnsd sees changes by whole seconds and size; ours by inode and nanoseconds too."""
    harness.write_file(t.directory / "list", zones.listed("aaa", 10))
    process, client = t.start_rbldnsd(["bl.test:ip4set:list"], ["-c", "0"])
    for text in ("bbb", "ccc", "ddd"):
        harness.write_file(t.directory / "list", zones.listed(text, 10))    # same size, same second
        process.signal(signal.SIGHUP)
        got = harness.wait_until(lambda: text in client.ask(Query("1.0.0.10.bl.test", "TXT")).answer[0].text, 3)
        t.check(f"the change to {text} is taken", got)


def notify_socket(t):
    path = t.new_directory() / "notify"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    os.chmod(path, 0o777)
    sock.settimeout(10)
    t.callback(sock.close)
    return sock, str(path)


def receive(sock):
    """The variables of one notification."""
    return dict(line.split("=", 1) for line in sock.recv(4096).decode().splitlines())


@harness.backends
def test_notify(t):
    """RELOADING and READY around every load, STOPPING at the end, as rbldnsd sends them."""
    harness.write_file(t.directory / "list", zones.listed("one", 10))
    sock, path = notify_socket(t)
    process, client = t.start_rbldnsd(["bl.test:ip4set:list"], ["-c", "0"], env={"NOTIFY_SOCKET": path}, ready=False)
    seen = receive(sock)
    if "RELOADING" in seen:
        seen = receive(sock)
    t.check("READY after the first load", seen.get("READY") == "1", str(seen))
    t.check("it answers then", client.ask("1.0.0.10.bl.test") is not None)
    harness.write_file(t.directory / "list", zones.listed("two", 10), mtime=harness.DEFAULT_MTIME + 5)
    process.signal(signal.SIGHUP)
    t.check("RELOADING at SIGHUP", receive(sock).get("RELOADING") == "1")
    t.check("READY when it is done", receive(sock).get("READY") == "1")
    process.stop()
    t.check("STOPPING at the end", receive(sock).get("STOPPING") == "1")


@harness.backends
def test_mailzoned_notify(t):
    """Type=notify for mailzoned: READY, RELOADING with a monotonic time, STOPPING."""
    zones.write_lists(t.directory)
    image = t.directory / "x.mzi"
    t.build(image, zones.SPECS)
    sock, path = notify_socket(t)
    process, client = t.start_mailzoned(image, env={"NOTIFY_SOCKET": path}, ready=False)
    seen = receive(sock)
    if "RELOADING" in seen:
        seen = receive(sock)
    t.check("READY once it serves", seen.get("READY") == "1" and client.ask("2.0.0.127.bl.test"), str(seen))
    process.signal(signal.SIGHUP)
    seen = receive(sock)
    t.check("RELOADING with MONOTONIC_USEC", seen.get("RELOADING") == "1" and seen.get("MONOTONIC_USEC", "").isdigit(), str(seen))
    t.check("READY again", receive(sock).get("READY") == "1")
    process.stop()
    t.check("STOPPING at the end", receive(sock).get("STOPPING") == "1")


def passed_sockets(t, program, arguments, sockets):
    """Starts a program the way systemd does: sockets from descriptor 3, LISTEN_FDS, LISTEN_PID of the program itself."""
    wanted = range(3, 3 + len(sockets))
    spare = [os.dup(sock.fileno()) for sock in sockets]
    spare = [os.dup2(fd, 50 + number) for number, fd in enumerate(spare)]

    def place():
        for number, fd in zip(wanted, spare):
            os.dup2(fd, number, inheritable=True)

    shell = f'LISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec "$0" "$@"'
    process = t.start(["/bin/sh", "-c", shell, program, *arguments], pass_fds=tuple(wanted), preexec=place)
    for fd in spare:
        os.close(fd)
    return process


@harness.backends
def test_socket_activation(t):
    """Sockets from systemd: no -b needed, UDP for the personality, UDP and TCP for mailzoned."""
    zones.write_lists(t.directory)
    image = t.directory / "x.mzi"
    t.build(image, zones.SPECS)
    user = ["-u", USER] if os.geteuid() == 0 else []
    for what, arguments in (("rbldnsd", ["-n", "-w", t.directory, *user, f"--io={t.io}", *zones.SPECS]),
                            ("mailzoned", ["--image", image, f"--io={t.io}"])):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        port = udp.getsockname()[1]
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier test's connection may linger on the port
        tcp.bind(("127.0.0.1", port))
        tcp.listen(16)
        process = passed_sockets(t, t.binary(what), arguments, [udp, tcp])
        udp.close()
        tcp.close()
        client = t.client(port)
        t.wait_ready(process, client)
        t.equal(f"{what}: UDP answers lost of 100", sum(client.ask("2.0.0.127.bl.test") is None for _ in range(100)), 0)
        t.check(f"{what}: TCP is answered", client.ask_tcp("2.0.0.127.bl.test") is not None)
        process.stop()


@harness.backends
def test_refused_by_kernel(t):
    """--io=auto works where io_uring is refused, and one log line says which backend serves."""
    zones.write_lists(t.directory)
    image = t.directory / "x.mzi"
    t.build(image, zones.SPECS)
    io, t.io = t.io, "auto"
    process, client = t.start_mailzoned(image)
    lines = [line for line in process.log().splitlines() if "io_uring" in line or "epoll" in line]
    t.equal("lines that name the backend", len(lines), 1)
    t.check("answers", client.ask("2.0.0.127.bl.test") is not None)
    t.io = io
