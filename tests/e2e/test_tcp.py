"""TCP under stress: clients that are slow, silent, greedy or broken, while others must be served as if nothing was.

Each test ends with the same three questions: does a new client get its answer quickly, was UDP undisturbed, did the
memory of the server stay within its bounds.
"""
import contextlib
import errno
import resource
import socket
import struct
import time

import dnswire
import harness
import zones
from dnswire import Query

LISTED = "2.0.0.127.bl.test"
QUICK_SECONDS = 1.0     # generous: the machine may be busy; a blocked worker would take the idle timeout (10 s)


class Stage:
    """A server with lists, and a UDP client that asks now and then."""

    def __init__(self, t, options=()):
        self.t = t
        zones.write_lists(t.directory)
        image = t.directory / "tcp.mzi"
        t.build(image, zones.SPECS, ["--profile=rfc"])
        self.process, self.client = t.start_mailzoned(image, ["--workers=2", *options])
        self.rss_before = self.process.rss_kib()
        self.lost = self.asked = 0
        self.slowest = 0.0

    def udp(self, count=20):
        for _ in range(count):
            begun = time.monotonic()
            self.asked += 1
            self.lost += self.client.ask(LISTED, timeout=QUICK_SECONDS) is None
            self.slowest = max(self.slowest, time.monotonic() - begun)

    def conclude(self, connections=0):
        t = self.t
        self.udp()
        begun = time.monotonic()
        reply = self.client.ask_tcp(LISTED)
        t.check("a new TCP client is answered at once", reply and time.monotonic() - begun < QUICK_SECONDS,
                f"{reply} after {time.monotonic() - begun:.2f} s")
        t.equal(f"UDP queries lost of {self.asked}", self.lost, 0)
        grown = self.process.rss_kib() - self.rss_before
        t.check(f"memory is bounded ({grown} KiB more, {connections} connections)", grown < 16 * 1024 + 72 * connections)
        t.check("alive", self.process.running())


@harness.backends
def test_one_octet_segments(t):
    stage = Stage(t)
    with stage.client.connect_tcp() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(3):
            for octet in harness.frame(Query(LISTED, "TXT").encode(number)):
                sock.send(bytes([octet]))
                time.sleep(0.0005)
            reply = dnswire.decode(harness.read_frame(sock))
            t.equal("answered", (reply.id, len(reply.answer)), (number, 1))
        # Two messages in one segment, the second cut inside its length prefix.
        pair = harness.frame(Query(LISTED).encode(10)) + harness.frame(Query(LISTED).encode(11))
        sock.send(pair[:len(pair) // 2 + 1])
        time.sleep(0.05)
        sock.send(pair[len(pair) // 2 + 1:])
        ids = sorted(dnswire.decode(harness.read_frame(sock)).id for _ in range(2))
        t.equal("both of a split pair", ids, [10, 11])
    stage.conclude()


@harness.backends
def test_pipelining(t):
    """1,000 queries before the first reply is read (RFC 7766 section 6.2.1.1)."""
    stage = Stage(t)
    with stage.client.connect_tcp(timeout=20) as sock:
        names = [LISTED, "9.9.9.9.bl.test", "plain.example.dn.test", "big.bl.test"]
        wanted = {number: names[number % len(names)] for number in range(1000)}
        data = b"".join(harness.frame(Query(name, "TXT").encode(number)) for number, name in wanted.items())
        sock.setblocking(False)
        replies, received, sent = {}, b"", 0
        deadline = time.monotonic() + 20
        # Sends all it can before reading: the server may stop reading at its buffer bound, then reading must help.
        while len(replies) < 1000 and time.monotonic() < deadline:
            if sent < len(data):
                with contextlib.suppress(BlockingIOError):
                    sent += sock.send(data[sent:])
                    continue
            try:
                part = sock.recv(1 << 20)
            except BlockingIOError:
                time.sleep(0.001)
                continue
            if not part:
                break
            received += part
            while len(received) >= 2 and len(received) >= 2 + struct.unpack(">H", received[:2])[0]:
                length = struct.unpack(">H", received[:2])[0]
                reply = dnswire.decode(received[2:2 + length])
                replies[reply.id] = reply
                received = received[2 + length:]
        t.equal("1,000 replies", len(replies), 1000)
        t.check("each answers its own question",
                all(reply.question == [f"{wanted[number]}. IN TXT"] for number, reply in replies.items()))
    stage.conclude()


@harness.backends
def test_half_close(t):
    """A client that sends FIN behind its queries still gets the replies; then the server closes."""
    stage = Stage(t)
    for _ in range(5):
        with stage.client.connect_tcp() as sock:
            for number in range(3):
                sock.sendall(harness.frame(Query(LISTED).encode(number)))
            sock.shutdown(socket.SHUT_WR)
            ids = [dnswire.decode(harness.read_frame(sock)).id for _ in range(3)]
            t.equal("replies after half-close", sorted(ids), [0, 1, 2])
            t.check("then the end of the stream", harness.read_frame(sock) is None)
    with stage.client.connect_tcp() as sock:
        sock.shutdown(socket.SHUT_WR)
        t.check("half-closed without a query: closed", harness.read_exactly(sock, 1) is None)
    stage.conclude()


@harness.backends
def test_resets_and_lies(t):
    """Connections reset at every stage; length prefixes that promise more or less than comes."""
    stage = Stage(t)
    reset = struct.pack("ii", 1, 0)     # SO_LINGER: close sends RST
    message = harness.frame(Query("big.bl.test", "TXT").encode(1))
    for cut in [0, 1, 2, 3, len(message) - 1, len(message), 10 * len(message)] * 15:
        sock = stage.client.connect_tcp()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        sock.sendall((message * 10)[:cut])
        sock.close()
    stage.udp()
    sockets = []
    for length, body in ((0, b""), (1, b"x"), (65535, b"short"), (12, bytes(12)), (5, Query(LISTED).encode(1)),
                         (600, Query(LISTED).encode(2)), (17, b"\xff" * 17)):
        sock = stage.client.connect_tcp()
        sock.sendall(struct.pack(">H", length) + body)
        sockets.append(sock)
    stage.udp()
    stage.conclude(len(sockets))
    for sock in sockets:
        sock.close()


@harness.backends
def test_never_reading(t):
    """Clients that ask for large answers and never read: buffers are bounded, the rest goes on (CVE-2024-0760)."""
    stage = Stage(t)
    sockets = []
    data = b"".join(harness.frame(Query("big.bl.test", "TXT").encode(number)) for number in range(3000))
    for _ in range(100):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", stage.client.port))
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            sock.send(data)
        sockets.append(sock)
    for _ in range(5):
        for sock in sockets:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sock.send(data)
        stage.udp(10)
    stage.conclude(len(sockets))
    closed = harness.wait_until(lambda: all(is_dead(sock) for sock in sockets), 15, 0.2)
    t.check("they are closed when nothing moves any more", closed, f"{sum(map(is_dead, sockets))} of {len(sockets)}")
    for sock in sockets:
        sock.close()


def is_dead(sock):
    """True when the peer has closed or reset, whatever is still unread."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return info[0] != 1     # TCP_ESTABLISHED


def raise_fd_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, PermissionError) as error:
            raise harness.Skip(f"{wanted} file descriptors are not allowed") from error


@harness.backends
def test_idle_connections(t):
    """5,000 idle connections at a limit of 1,000 per worker: the longest idle go first, new ones are served."""
    raise_fd_limit(12000)
    stage = Stage(t, ["--tcp-connections=1000", "--tcp-idle-timeout=60"])
    sockets = []
    begun = time.monotonic()
    for number in range(5000):
        try:
            sockets.append(stage.client.connect_tcp())
        except OSError as error:
            t.check("every connection is accepted", False, f"number {number}: {errno.errorcode.get(error.errno, error)}")
            break
        if number % 500 == 0:
            stage.udp(5)
    t.check("5,000 connections are opened quickly", time.monotonic() - begun < 20, f"{time.monotonic() - begun:.1f} s")
    harness.wait_until(lambda: sum(map(is_dead, sockets)) >= 2990, 10, 0.1)
    dead = [is_dead(sock) for sock in sockets]
    t.check("about 2,000 of them are left, two workers", 1900 <= dead.count(False) <= 2010, f"{dead.count(False)} left")
    t.check("the oldest went first: none of the first 2,000 is left", all(dead[:2000]), f"{dead[:2000].count(False)} left")
    t.check("none of the last 500 was closed", not any(dead[-500:]), f"{sum(dead[-500:])} closed")
    young = sockets[-1]
    young.sendall(harness.frame(Query(LISTED).encode(3)))
    t.check("the youngest is served", harness.read_frame(young) is not None)
    stage.conclude(2000)
    for sock in sockets:
        sock.close()


@harness.backends
def test_idle_timeout(t):
    """An idle connection is closed after its time, a busy one is not."""
    stage = Stage(t, ["--tcp-idle-timeout=1", "--tcp-message-timeout=1"])
    idle, busy = stage.client.connect_tcp(), stage.client.connect_tcp()
    for number in range(16):
        busy.sendall(harness.frame(Query(LISTED).encode(number)))
        t.check("the busy connection is served", harness.read_frame(busy) is not None)
        time.sleep(0.15)
    t.check("the idle one is closed", is_dead(idle))
    idle.close()
    busy.close()
    stage.conclude()


@harness.backends
def test_slow_senders(t):
    """200 connections that send one octet every now and then and never finish a message."""
    stage = Stage(t, ["--tcp-message-timeout=2"])
    sockets = [stage.client.connect_tcp() for _ in range(200)]
    message = harness.frame(Query(LISTED).encode(1))[:-1]
    begun = time.monotonic()
    for octet in message:
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.send(bytes([octet]))
        stage.udp(2)
        if time.monotonic() - begun > 4:
            break
        time.sleep(0.1)
    dead = harness.wait_until(lambda: all(map(is_dead, sockets)), 5, 0.1)
    t.check("a message that does not end within the time closes its connection", dead,
            f"{sum(map(is_dead, sockets))} of 200 closed")
    stage.conclude(200)
    for sock in sockets:
        sock.close()


@harness.backends
def test_file_descriptors_exhausted(t):
    """At the limit of open files UDP goes on, nothing spins, and TCP comes back when files are free."""
    zones.write_lists(t.directory)
    image = t.directory / "tcp.mzi"
    t.build(image, zones.SPECS, ["--profile=rfc"])

    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    process, client = t.start_mailzoned(image, ["--workers=1"], preexec=few_files)
    sockets = []
    for _ in range(120):
        with contextlib.suppress(OSError):
            sockets.append(client.connect_tcp(timeout=0.5))
    t.equal("UDP is answered", sum(client.ask(LISTED) is not None for _ in range(50)), 50)
    before = cpu_seconds(process.pid)
    time.sleep(1)
    t.check("no busy loop around accept", cpu_seconds(process.pid) - before < 0.5, f"{cpu_seconds(process.pid) - before:.2f} s")
    for sock in sockets:
        sock.close()
    t.check("TCP is back within a second", harness.wait_until(lambda: tcp_works(client), 2))
    t.check("alive", process.running())


def tcp_works(client):
    try:
        return client.ask_tcp(LISTED, timeout=0.5) is not None
    except OSError:
        return False


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
