"""Asks Debian's rbldnsd and ours the same questions and decides whether two complete replies agree.

Everything must be equal but for the rows of docs/COMPATIBILITY.md named here; each use of a row is counted. What a row
allows is checked in turn: a truncated reply must be complete over TCP, an OPT must answer an OPT, and an empty
non-terminal must have a listed name or a possible address below it.
"""
import collections
import dataclasses
import select

import dnswire

SENTINEL = dnswire.Query("sentinel.invalid")    # a foreign name: REFUSED, unless an acl drops the client
OUR_MAX_UDP = 2048      # of the personality
MOST_SHOWN = 400   # characters of a section in a message


class Asker:
    """Asks one server; tells a dropped query from a slow one.

    A server handles the packets of one socket in order. So a query without a reply is followed by a sentinel: when the
    sentinel is answered first, the query was dropped.
    """

    def __init__(self, t, port):
        self.t, self.port, self.clients = t, port, {}

    def client(self, source):
        if source not in self.clients:
            self.clients[source] = self.t.client(self.port, source=source)
        return self.clients[source]

    def close(self):
        for client in self.clients.values():
            client.close()

    def ask(self, query):
        """-> Reply, or None when the server stays silent."""
        client = self.client(query.source)
        client.next_id = client.next_id % 0xfffe + 1
        message, sentinel = query.encode(client.next_id), SENTINEL.encode(client.next_id + 1)
        client.next_id += 1
        sock = client.udp()
        sock.send(message)
        sentinel_sent = False
        for timeout in (0.05, 0.3, 0.6):
            while select.select([sock], [], [], timeout)[0]:
                octets = sock.recv(65535)
                if octets[:2] == message[:2]:
                    return dnswire.decode(octets)
                if octets[:2] == sentinel[:2] and sentinel_sent:
                    return None
            if not sentinel_sent:
                sock.send(sentinel)
                sentinel_sent = True
        return None


def section(records):
    return sorted({fold(str(record)) for record in records})


def repeated(records):
    texts = [fold(str(record)) for record in records]
    return len(set(texts)) != len(texts)


def data(records):
    """Records without owner and TTL: which TTL is the smallest depends on the records around."""
    return {(record.type, fold(record.text)) for record in records}


def fold(text):
    before, quote, after = text.partition('"')
    return before.lower() + quote + after


def shown(reply):
    if reply is None:
        return "no reply"
    sections = " ".join(f"{name}={str(reply.texts(name))[:MOST_SHOWN]}" for name in ("answer", "authority", "additional"))
    return f"{reply.rcode} {reply.flags} size={reply.size} question={reply.question} {sections} opt={reply.opt}"


def limit(query):
    """Octets a UDP reply of ours may have."""
    return 512 if query.edns is None else min(max(512, query.edns), OUR_MAX_UDP)


class Comparison:
    def __init__(self, reference, ours, ask_tcp, existence=None, without_acl=None):
        """`reference`, `ours`: Asker. ask_tcp(query) asks ours over TCP, None when it is the reference. `existence`
        (existence.py) judges NODATA; None when ours runs with --ent=nxdomain. `without_acl`: the reference once more, on
        the same data without acl datasets; None when there are none."""
        self.reference, self.ours, self.ask_tcp, self.existence = reference, ours, ask_tcp, existence
        self.without_acl = without_acl
        self.rows = collections.Counter()

    def run(self, query):
        """-> None when the replies agree, else what is wrong."""
        want = self.reference.ask(query)
        try:
            got = self.ours.ask(query)
        except dnswire.Malformed as error:
            return f"malformed reply: {error}"
        problem = self.compare(query, want, got)
        if problem and (got is None or want is None):       # a loaded machine may lose one
            want, got = self.reference.ask(query), self.ours.ask(query)
            problem = self.compare(query, want, got)
        return problem and f"{query}\n          {problem}\n          want {shown(want)}\n          got  {shown(got)}"

    def compare(self, query, want, got):
        if want is None and got is not None and query.edns_version and got.rcode == "BADVERS":
            self.rows["edns-version"] += 1      # decided before the zone's acl, which ignores this client
            return None
        if want is None or got is None:
            return None if want is got else "one of them is silent"
        if self.ask_tcp is None:                            # the reference against itself
            return None if shown_sections(want) == shown_sections(got) else "replies differ"
        problem = self.compare_opt(query, want, got)
        if problem:
            return problem
        if query.edns is not None and query.edns_version:
            self.rows["edns-version"] += 1
            if got.rcode == "BADVERS":
                return "records with BADVERS" if got.answer or got.authority or got.additional else None
            if want.rcode != "NOTIMP":
                return "no BADVERS"
        if got.question != want.question or got.trailing or got.opcode != want.opcode:
            return "question, opcode or trailing octets"
        if query.klass == "CH" and want.answer:             # version.bind: another version, and no header bits echoed
            self.rows["version-flags"] += 1
            return None if got.answer and [f for f in got.flags if f != "rd"] == ["qr"] else "version.bind"
        if repeated(got.answer) or repeated(got.authority):
            return "a record twice"
        if repeated(want.answer):
            self.rows["duplicate-records"] += 1
        if want.rcode == "NXDOMAIN" and got.rcode == "NOERROR" and self.existence:
            if not self.existence.possible_below(query.name):
                return "NODATA for a name that cannot have anything below it"
            self.rows["ent-nodata"] += 1
        elif want.rcode == got.rcode == "NXDOMAIN" and self.existence:
            below = self.listed_below(query)
            if below:
                return f"NXDOMAIN although {below} is listed"
        elif want.rcode != got.rcode:
            return "rcode"
        if same_sections(want, got) and want.flags == got.flags:
            return None
        if self.without_acl and self.is_generic_behind_acl(query, want, got):
            self.rows["acl-generic"] += 1
            return None
        return self.compare_sizes(query, want, got)

    def is_generic_behind_acl(self, query, want, got):
        """The reply has more records than the reference's, all of them such as the reference gives without the acl."""
        if want.rcode != "NOERROR":
            return False
        if "tc" in got.flags:
            got = self.ask_tcp(query)
        plain = self.without_acl.ask(dataclasses.replace(query, source=None, edns=4096, edns_version=0, edns_options=b""))
        base, more = data(want.answer), data(got.answer)
        return plain is not None and got is not None and base < more <= base | data(plain.answer) and (
            not got.authority or data(got.authority) in (data(plain.authority), data(want.authority)))

    def listed_below(self, query):
        """A name below that one for which the reference has something, or None."""
        for name in self.existence.known_below(query.name):
            reply = self.reference.ask(dnswire.Query(name, "A", source=query.source))
            if reply is not None and reply.rcode == "NOERROR":
                return name
        return None

    def compare_opt(self, query, want, got):
        if query.edns is None:
            return "OPT in a reply to a query without" if got.opt else None
        if got.opt is None:
            return "no OPT in a reply to a query with one"
        if got.opt.ttl & 0xffff_7fff and got.rcode != "BADVERS":
            return "OPT with a version, unknown flags or an extended RCODE"
        # RFC 8914: an extended error may tell more about an error; nothing else was asked for.
        if got.opt.rdata and (got.rcode == "NOERROR" or got.opt.rdata[:2] != b"\0\x0f"):
            return "OPT with options that nobody asked for"
        if want.opt is None:
            self.rows["edns-opt"] += 1
        return None

    def compare_sizes(self, query, want, got):
        """The replies differ: they may do so only where one of them did not fit."""
        complete = self.ask_tcp(dataclasses.replace(query, source=query.source))
        if complete is None:
            return "no answer over TCP"
        if complete.size <= limit(query) and not same_sections(complete, got):
            return "UDP and TCP replies differ although both fit"
        if got.size > limit(query):
            return "longer than the client or --max-udp allows"
        if "tc" not in got.flags and section(got.answer) != section(complete.answer):
            return "part of the answer section is missing without TC"
        if not set(section(got.answer)) <= set(section(complete.answer)):
            return "a truncated reply with other records than over TCP"
        larger = self.reference.ask(dataclasses.replace(query, edns=4096, edns_version=0, edns_options=b""))
        # Without AA something was left out; replies in class ANY never have it, so there the size must tell.
        fits = larger is not None and ("aa" in larger.flags if query.klass == "IN" else larger.size < 1700)
        if not set(section(want.answer)) <= set(section(complete.answer)):
            return "records of the reference are missing over TCP"
        if fits and not same_sections(larger, complete):
            return f"differs from the reference's complete reply: {shown(larger)}\n          over TCP {shown(complete)}"
        flags = [flag for flag in got.flags if flag != "tc"]
        wanted = set(want.flags) | ({"aa"} if query.klass == "IN" else set())
        if set(flags) != wanted:
            return "flags"
        self.rows["truncation"] += 1
        return None


def same_sections(left, right):
    return all(section(getattr(left, name)) == section(getattr(right, name))
               for name in ("answer", "authority", "additional"))


def shown_sections(reply):
    return (reply.rcode, reply.flags, reply.opcode, reply.question, reply.trailing,
            *(section(getattr(reply, name)) for name in ("answer", "authority", "additional")), str(reply.opt))
