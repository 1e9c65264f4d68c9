"""The DNS around an SPF compiler, on loopback: a small authoritative server (the receiver's side: spf_receiver.py).

  world = World()
  world.add("c.test", [["TXT", "v=spf1 mx -all"], ["MX", 10, "m.c.test"]])
  server = WorldServer(world)            a process of its own: server.compiler_port, server.receiver_port

Records: [type, value...] with A, AAAA, MX, PTR, CNAME, TXT (a text of any length, or a list of character-strings).
["TIMEOUT"] makes every question for the name fail with SERVFAIL, ["SILENT"] leaves it without an answer; on the
receiver's port silence is SERVFAIL, since a receiver asks a resolver, and a resolver gives up. CNAMEs are followed as a
resolver does. Answers that do not fit the client's UDP size are truncated, and whole over TCP. Names are octets in
latin-1, texts UTF-8 or octets.
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


def strings(rdata):
    out, at = [], 0
    while at < len(rdata):
        out.append(rdata[at + 1:at + 1 + rdata[at]])
        at += 1 + rdata[at]
    return out


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
