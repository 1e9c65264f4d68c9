"""The resolver of a mail receiver, for oracles: names under a published zone go to mailzoned, the others to a world.

  receiver = Receiver(server.receiver_port)
  receiver.route("_spf.zone.test", port_of_mailzoned)
  receiver.publish("c.test", "_pub.c.test")
  rcode, records = receiver.ask(wire_name("c.test"), TXT)
"""
import socket
import struct
import threading

import harness
from spf_world import SERVFAIL, TXT, name_end, strings, wire_name


class Receiver:
    """The resolver of a mail receiver: names under a routed zone go to their server, everything else to the world.

    Answers of the world are kept, those of routed zones are asked each time. `published` redirects TXT questions for
    one name to another one, where the world holds the record that the customer publishes in place of its source record.
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
