"""The DNS around an SPF compiler, on loopback: a small authoritative server, and the receiver's way to its answers.

  world = World()
  world.add("c.test", [["TXT", "v=spf1 mx -all"], ["MX", 10, "m.c.test"]])
  server = WorldServer(world)            a process of its own: server.compiler_port, server.receiver_port
  receiver = Receiver(server.receiver_port)
  receiver.route("_spf.zone.test", port_of_mailzoned)
  receiver.publish("c.test", "_pub.c.test")
  rcode, rdata = receiver.ask(b"\\x01c\\x04test\\0", TXT)

Records: [type, value...] with A, AAAA, MX, PTR, CNAME, TXT (a text of any length, or a list of character-strings).
["TIMEOUT"] makes every question for the name fail with SERVFAIL, ["SILENT"] leaves it without an answer; on the receiver's
port silence is SERVFAIL, since a receiver asks a resolver, and a resolver gives up. CNAMEs are followed as a resolver does.
Answers that do not fit the client's UDP size are truncated, and whole over TCP. Names are octets in latin-1, texts UTF-8 or
octets.
"""
import multiprocessing
import os
import select
import signal
import socket
import struct
import threading

import harness

A, CNAME, SOA, PTR, MX, TXT, AAAA, OPT = 1, 5, 6, 12, 15, 16, 28, 41
TYPE_NUMBERS = {"A": A, "CNAME": CNAME, "PTR": PTR, "MX": MX, "TXT": TXT, "AAAA": AAAA}
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
TTL = 300
MAX_CNAMES = 8          # pyspf follows ten, unbound eleven


def wire_name(text):
    """"a.b" -> octets, lower case. None: no name (a label that is empty or over 63 octets, or over 255 in all)."""
    out = bytearray()
    for label in text.rstrip(".").split(".") if text not in ("", ".") else ():
        octets = label.encode("latin-1", "replace") if isinstance(label, str) else label
        if not 0 < len(octets) < 64:
            return None
        out.append(len(octets))
        out += octets
    out.append(0)
    return bytes(out).lower() if len(out) <= 255 else None


def name_end(message, offset):
    """Behind a name, compressed or not."""
    while True:
        length = message[offset]
        if length == 0:
            return offset + 1
        if length >= 0xc0:
            return offset + 2
        offset += 1 + length


def expand_name(message, offset):
    """The labels of a name in a message, joined by dots, latin-1."""
    labels = []
    for _ in range(130):
        length = message[offset]
        if length == 0:
            return ".".join(labels)
        if length >= 0xc0:
            offset = (length & 0x3f) << 8 | message[offset + 1]
            continue
        labels.append(message[offset + 1:offset + 1 + length].decode("latin-1"))
        offset += 1 + length
    raise ValueError("a name without end")


def rdata_of(kind, values):
    if kind == A:
        return socket.inet_aton(values[0])
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, values[0])
    if kind == MX:
        return struct.pack(">H", values[0]) + (wire_name(values[1]) or b"\0")
    if kind in (PTR, CNAME):
        return wire_name(values[0])
    value = values[0]
    strings = value if isinstance(value, (list, tuple)) else None
    if strings is None:
        octets = value.encode() if isinstance(value, str) else value
        strings = [octets[at:at + 255] for at in range(0, len(octets), 255)] or [b""]
    out = bytearray()
    for string in strings:
        octets = string.encode() if isinstance(string, str) else string
        out.append(len(octets))
        out += octets
    return bytes(out)


class World:
    """Names and their records. Built once, then only read."""

    def __init__(self, ttl=TTL):
        self.ttl = ttl
        self.names = {}         # wire name -> {type: [rdata]}, with "TIMEOUT" or "SILENT" as a type of its own
        self.above = set()      # names that only have something below them
        self.cache = {}

    def add(self, name, records):
        wire = wire_name(name)
        entry = self.names.setdefault(wire, {})
        for kind, *values in records:
            if kind in ("TIMEOUT", "SILENT"):
                entry[kind] = []
            else:
                rdata = rdata_of(TYPE_NUMBERS[kind], values)
                same = entry.setdefault(TYPE_NUMBERS[kind], [])
                if rdata not in same:   # an RRset has no record twice
                    same.append(rdata)
        while wire != b"\0":
            wire = wire[1 + wire[0]:]
            self.above.add(wire)

    def add_all(self, zone):
        for name, records in zone.items():
            self.add(name, records)

    def find(self, wire):
        """-> records by type, {} for an empty non-terminal, None for no such name."""
        if wire in self.names:
            return self.names[wire]
        if wire in self.above:
            return {}
        while wire != b"\0":
            wire = wire[1 + wire[0]:]
            if b"\1*" + wire in self.names:
                return self.names[b"\1*" + wire]
            if wire in self.names or wire in self.above:
                return None
        return None

    def resolve(self, wire, kind):
        """-> (rcode, count and octets of the answer section, silent)."""
        key = (wire, kind)
        known = self.cache.get(key)
        if known is None:
            known = self.cache[key] = self._resolve(wire, kind)
        return known

    def _resolve(self, wire, kind):
        section, count, owner = bytearray(), 0, b"\xc0\x0c"
        for _ in range(MAX_CNAMES):
            entry = self.find(wire)
            if entry is None:
                return NXDOMAIN, count, bytes(section), False
            if "TIMEOUT" in entry or "SILENT" in entry:
                return SERVFAIL, 0, b"", "SILENT" in entry
            if kind in entry or CNAME not in entry:
                for rdata in entry.get(kind, ()):
                    section += owner + struct.pack(">HHIH", kind, 1, self.ttl, len(rdata)) + rdata
                    count += 1
                return 0, count, bytes(section), False
            target = entry[CNAME][0]
            section += owner + struct.pack(">HHIH", CNAME, 1, self.ttl, len(target)) + target
            count += 1
            owner = wire = target
        return SERVFAIL, 0, b"", False  # a loop

    def answer(self, query, udp, silence):
        """A reply, or None for none. `silence`: names without an answer get none, else SERVFAIL."""
        end = name_end(query, 12)
        kind = query[end] << 8 | query[end + 1]
        rcode, count, section, silent = self.resolve(query[12:end].lower(), kind)
        if silent and silence:
            return None
        has_opt = query[11] == 1 and len(query) >= end + 4 + 11
        size = max(512, query[end + 7] << 8 | query[end + 8]) if has_opt else 512
        negative = b""
        if count == 0 and rcode in (0, NXDOMAIN):
            negative = NEGATIVE
        flags = 0x8480 | (query[2] & 1) << 8
        tail = b"\0\0\x29\x10\0\0\0\0\0\0\0" if has_opt else b""
        if udp and 12 + end - 12 + 4 + len(section) + len(negative) + len(tail) > size:
            flags, count, section, negative = flags | 0x200, 0, b"", b""
        return (query[:2] + struct.pack(">5H", flags | rcode, 1, count, 1 if negative else 0, 1 if tail else 0) +
                query[12:end + 4] + section + negative + tail)


NEGATIVE = b"\0" + struct.pack(">HHIH", SOA, 1, TTL, 22) + b"\0\0" + struct.pack(">5I", 1, 3600, 900, 604800, 300)


class WorldServer:
    """Serves a world in a child process, which ends with close() or with its parent."""

    def __init__(self, world):
        self.sockets = []
        self.compiler_port, self.receiver_port = self._listen(), self._listen()
        ours, theirs = socket.socketpair()
        self.alive = ours
        self.process = multiprocessing.get_context("fork").Process(target=self._serve, args=(world, ours, theirs),
                                                                   daemon=True)
        self.process.start()
        theirs.close()
        for udp, tcp in self.sockets:
            udp.close()
            tcp.close()

    def _listen(self):
        port = harness.free_port()
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        udp.bind(("127.0.0.1", port))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", port))
        tcp.listen(256)
        self.sockets.append((udp, tcp))
        return port

    def close(self):
        self.alive.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()

    def _serve(self, world, ours, theirs):
        ours.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        silence = {}
        for (udp, tcp), silent in zip(self.sockets, (True, False)):
            silence[udp], silence[tcp] = silent, silent
            udp.setblocking(False)
        streams = {tcp for _, tcp in self.sockets}
        while True:
            ready, _, _ = select.select([theirs, *silence], [], [])
            for sock in ready:
                if sock is theirs:
                    os._exit(0)
                if sock in streams:
                    peer, _ = sock.accept()
                    threading.Thread(target=self._stream, args=(world, peer, silence[sock]), daemon=True).start()
                    continue
                for _ in range(200):
                    try:
                        query, peer = sock.recvfrom(4096)
                        reply = world.answer(query, True, silence[sock])
                    except BlockingIOError:
                        break
                    except (IndexError, struct.error):
                        continue
                    if reply is not None:
                        try:
                            sock.sendto(reply, peer)
                        except OSError:
                            pass        # the asker's socket buffer is full: it asks again

    @staticmethod
    def _stream(world, peer, silence):
        with peer:
            peer.settimeout(10)
            try:
                while (query := harness.read_frame(peer)) is not None:
                    reply = world.answer(query, False, silence)
                    if reply is not None:
                        peer.sendall(harness.frame(reply))
            except (OSError, IndexError, struct.error):
                pass


class Receiver:
    """The resolver of a mail receiver: names under a routed zone go to their server, everything else to the world.

    Answers of the world are kept, those of routed zones are asked each time. `published` redirects TXT questions for one
    name to another one, where the world holds the record that the customer publishes in place of its source record.
    """

    def __init__(self, world_port):
        self.world_port = world_port
        self.routes = []        # (wire suffix, port)
        self.published = {}     # wire -> wire
        self.sockets = {}
        self.known = {}
        self.asked = 0          # questions to routed zones
        self.serial = 0

    def close(self):
        for sock in self.sockets.values():
            sock.close()
        self.sockets = {}

    def route(self, zone, port):
        """`port` 0: nobody can be reached there. The first route that fits counts."""
        self.routes.append((wire_name(zone), port))

    def publish(self, name, alias):
        self.published = {wire_name(name): wire_name(alias)} if name else {}

    def port_for(self, wire):
        for suffix, port in self.routes:
            if wire.endswith(suffix):
                return port
        return self.world_port

    def exchange(self, port, wire, kind, size=1232):
        self.serial = self.serial % 0xffff + 1
        query = (struct.pack(">6H", self.serial, 0x100, 1, 0, 0, 1) + wire + struct.pack(">HH", kind, 1) + b"\0\0\x29" +
                 struct.pack(">H", size) + b"\0\0\0\0\0\0")
        return self.relay(port, query)

    def ask(self, wire, kind):
        """-> (rcode, [(rdata, message, offset of rdata)])"""
        if kind == TXT:
            wire = self.published.get(wire, wire)
        port = self.port_for(wire)
        if port != self.world_port:
            self.asked += 1
            return self._records(self.exchange(port, wire, kind), kind)
        key = (wire, kind)
        if key not in self.known:
            self.known[key] = self._records(self.exchange(port, wire, kind), kind)
        return self.known[key]

    def relay(self, port, query):
        """One message over UDP, and over TCP when the reply is truncated. None: no answer."""
        if port == 0:
            return None
        sock = self.sockets.get(port)
        if sock is None:
            sock = self.sockets[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(("127.0.0.1", port))
            sock.settimeout(2)
        for _ in range(3):
            try:
                sock.send(query)
                while True:
                    reply = sock.recv(65535)
                    if reply[:2] == query[:2]:
                        break
            except (socket.timeout, ConnectionRefusedError):
                continue
            if not reply[2] & 2:
                return reply
            with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
                stream.sendall(harness.frame(query))
                return harness.read_frame(stream)
        return None

    @staticmethod
    def _records(reply, kind):
        if reply is None:
            return SERVFAIL, []
        count = reply[6] << 8 | reply[7]
        offset, out = name_end(reply, 12) + 4, []
        for _ in range(count):
            offset = name_end(reply, offset)
            found, _, _, length = struct.unpack_from(">HHIH", reply, offset)
            offset += 10
            if found == kind:
                out.append((reply[offset:offset + length], reply, offset))
            offset += length
        return reply[3] & 0xf, out

    def txt(self, name):
        """The texts of a name, for people: a list of str, or the rcode."""
        rcode, records = self.ask(wire_name(name), TXT)
        return rcode if rcode else ["".join(s.decode("latin-1") for s in strings(rdata)) for rdata, _, _ in records]


def strings(rdata):
    out, at = [], 0
    while at < len(rdata):
        out.append(rdata[at + 1:at + 1 + rdata[at]])
        at += 1 + rdata[at]
    return out


class Router(threading.Thread):
    """A UDP port in front of a Receiver, for programs that bring their own DNS client. Truncated replies come whole."""

    def __init__(self, receiver):
        super().__init__(daemon=True)
        self.receiver = receiver
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if len(query) < 17:
                return
            try:
                end = name_end(query, 12)
                wire, kind = query[12:end].lower(), query[end] << 8 | query[end + 1]
                asked = query[:12] + query[12:end]
                target = self.receiver.published.get(wire) if kind == TXT else None
                port = self.receiver.port_for(wire)
                if target is None:
                    reply = self.receiver.relay(port, query)
                else:
                    reply = self._substitute(query, asked, end, target, port)
                if reply is None:
                    reply = query[:2] + b"\x81\x82" + query[4:6] + b"\0\0\0\0\0\0" + query[12:end + 4]
                self.socket.sendto(reply, peer)
            except (IndexError, struct.error, OSError):
                continue

    def _substitute(self, query, asked, end, target, port):
        reply = self.receiver.relay(port, query[:12] + target + query[end:])
        # Owners are compressed (they point at the question), so the question can be exchanged.
        return None if reply is None else reply[:12] + asked[12:] + reply[12 + len(target):]

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"end", ("127.0.0.1", self.port))
        self.join(5)
        self.socket.close()
