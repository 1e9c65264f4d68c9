"""What the RFCs demand of an authoritative server on the wire, checked on mailzoned with an image of profile rfc.

One function per document or subject; the comment at each check names the section.
"""
import socket
import struct

import dnswire
import harness
import zones
from dnswire import Query

LISTED = "2.0.0.127.bl.test"


def serve(t):
    zones.write_lists(t.directory)
    image = t.directory / "wire.mzi"
    t.build(image, zones.SPECS, ["--profile=rfc"])
    process, client = t.start_mailzoned(image)
    return process, client


def option(code, data=b""):
    return struct.pack(">HH", code, len(data)) + data


@harness.backends
def test_header(t):
    """RFC 1035 section 4.1.1."""
    process, client = serve(t)
    for flags in ((), ("rd",), ("ad",), ("cd",), ("z",), ("ra",), ("aa",), ("tc",), ("rd", "ad", "cd", "z", "ra")):
        reply = client.ask(Query(LISTED, flags=flags))
        t.require(f"answered with {flags} in the query", reply is not None)
        t.equal(f"flags of the reply to {flags}: RD copied, RA, Z, AD, CD clear",
                sorted(reply.flags), sorted({"qr", "aa"} | ({"rd"} & set(flags))))
        t.equal(f"rcode for {flags}", reply.rcode, "NOERROR")
    reply = client.ask(Query(LISTED, flags=("qr",)), timeout=0.3)
    t.check("a response is never answered", reply is None)
    for opcode in range(1, 16):
        reply = client.ask(Query(LISTED, opcode=opcode))
        t.check(f"opcode {opcode}: NOTIMP with the opcode echoed (RFC 8906 section 3.1.4)",
                reply and (reply.rcode, reply.opcode) == ("NOTIMP", opcode) and not reply.answer, str(reply))
    for opcode in (1, 2, 4, 5, 6, 15):
        header = struct.pack(">6H", 77, opcode << 11, 0, 0, 0, 0)
        answer = client.exchange(header)
        t.check(f"a bare header with opcode {opcode} is answered (RFC 8906)", answer and answer[3] & 15 in (1, 4))
    for count in (2, 3, 65535):
        reply = client.ask(Query(LISTED, question_count=count, questions=min(count, 3)))
        t.check(f"QDCOUNT {count}: FORMERR (RFC 9619)", reply and reply.rcode == "FORMERR" and not reply.answer, str(reply))
    answer = client.exchange(struct.pack(">6H", 78, 0, 0, 0, 0, 0))
    t.check("QDCOUNT 0 without a cookie: FORMERR or silence", answer is None or answer[3] & 15 == 1)
    for rcode in (1, 5, 15):
        reply = client.ask(Query(LISTED, rcode=rcode))
        t.check(f"an RCODE {rcode} in the query is not echoed", reply and reply.rcode == "NOERROR", str(reply))
    t.check("alive", process.running())


@harness.backends
def test_question(t):
    """Malformed and odd questions: a reply that makes sense or silence, never a crash."""
    process, client = serve(t)
    whole = Query(LISTED, "TXT").encode(99)
    for length in range(len(whole)):
        answer = client.exchange(whole[:length], timeout=0.02)
        t.check(f"cut at {length}: FORMERR or silence", answer is None or answer[3] & 15 == 1)
    reply = client.ask(Query(LISTED, trailing=b"\xff" * 40))
    t.check("trailing octets: FORMERR, or an answer without them",
            reply is None or reply.rcode in ("NOERROR", "FORMERR") and not reply.trailing, str(reply))
    loop = struct.pack(">6H", 5, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"
    answer = client.exchange(loop, timeout=0.1)
    t.check("a compression loop as question: FORMERR or silence", answer is None or answer[3] & 15 == 1)
    extended = struct.pack(">6H", 6, 0, 1, 0, 0, 0) + b"\x41\x01\0\0\1\0\1"
    answer = client.exchange(extended, timeout=0.1)
    t.check("an extended label type: FORMERR or silence", answer is None or answer[3] & 15 == 1)
    for name in (".".join(["a" * 63] * 3 + ["b" * 61]), ".".join(["x"] * 127)):
        reply = client.ask(Query(name))
        t.check(f"a name of {len(dnswire.encode_name(name))} octets is refused politely", reply and reply.rcode == "REFUSED")
    t.check("alive", process.running() and client.ask(LISTED))


@harness.backends
def test_case(t):
    """RFC 4343: letters compare without case, the question keeps its case."""
    _, client = serve(t)
    for name in ("2.0.0.127.BL.TEST", "2.0.0.127.bL.tEsT"):
        reply = client.ask(Query(name, "TXT"))
        t.check(f"{name} is found", reply and reply.texts("answer"), str(reply))
        t.equal(f"{name}: case of the question", reply.question, [f"{name}. IN TXT"])
        t.equal(f"{name}: owner", reply.answer[0].owner, name + ".")
    for name in ("PLAIN.example.dn.test", "x.BOTH.example.DN.test", "DEEP.er.NAME.bl.test",
                 ".".join(reversed(f"{0x20010DB8 << 96:032X}")) + ".bl.test"):
        reply = client.ask(name)
        t.check(f"{name} is found", reply and len(reply.answer) == 1, str(reply))


@harness.backends
def test_denial(t):
    """RFC 2308, RFC 8020, RFC 4592, RFC 3597."""
    _, client = serve(t)
    soa = ["bl.test. 300 IN SOA ns1.bl.test. hostmaster.bl.test. 7 7200 600 604800 300"]
    kinds = ("A", "NS", "SOA", "MX", "TXT", "AAAA", "TYPE65280", "TYPE666", "CAA", "HTTPS", "SRV", "ANY")
    for kind in kinds:
        reply = client.ask(Query("9.9.9.9.bl.test", kind))
        t.equal(f"missing name, {kind}: NXDOMAIN with SOA", (reply.rcode, reply.texts("authority")), ("NXDOMAIN", soa))
    for kind in ("AAAA", "MX", "CAA", "TYPE65280", "PTR", "SOA", "NS"):
        reply = client.ask(Query(LISTED, kind))
        t.equal(f"listed name, {kind}: NODATA with SOA", (reply.rcode, reply.texts("answer"), reply.texts("authority")),
                ("NOERROR", [], soa))
    for name in ("127.bl.test", "0.127.bl.test", "0.0.127.bl.test", "10.bl.test", "8.b.d.0.1.0.0.2.bl.test",
                 "er.name.bl.test", "name.bl.test", "example.dn.test", "below.example.dn.test"):
        reply = client.ask(Query(name, "TXT"))
        t.equal(f"empty non-terminal {name}: NODATA", (reply.rcode, reply.texts("answer")), ("NOERROR", []))
    for name in ("7.0.0.10.bl.test", "nothing.dn.test", "1.2.3.4.5.bl.test"):
        t.equal(f"{name}: NXDOMAIN", client.ask(name).rcode, "NXDOMAIN")
    reply = client.ask("any.below.example.dn.test")
    t.equal("a wildcard answers with the query name as owner", [r.owner for r in reply.answer],
            ["any.below.example.dn.test."])
    t.equal("wildcard, other type: NODATA", (client.ask("any.below.example.dn.test MX").rcode,), ("NOERROR",))
    t.equal("an excluded name is not there", client.ask("no.below.example.dn.test").rcode, "NXDOMAIN")


@harness.backends
def test_types_and_classes(t):
    """All QTYPEs in steps, meta types, other classes (RFC 6895, RFC 5358)."""
    process, client = serve(t)
    bad = []
    for number in [*range(0, 300), *range(300, 65536, 251), 32768, 32769, 65534, 65535]:
        reply = client.ask(Query(LISTED, str(number)))
        if reply is None or reply.rcode not in ("NOERROR", "NOTIMP", "REFUSED", "FORMERR"):
            bad.append((number, str(reply)))
        elif reply.answer and number not in (1, 16, 255):
            bad.append((number, reply.texts("answer")))
        elif 256 < number < 65280 and number not in (32768, 32769) and reply.rcode != "NOERROR":
            bad.append((number, reply.rcode))
    t.equal("every QTYPE has an ordinary answer", bad, [])
    for kind in ("AXFR", "IXFR"):
        reply = client.ask(Query("bl.test", kind))
        t.check(f"{kind} over UDP: an error, no data (RFC 5936)",
                reply and reply.rcode in ("NOTIMP", "REFUSED", "FORMERR") and not reply.answer, str(reply))
    for klass in ("HS", "NONE", "CLASS5", "CLASS0", "CLASS65535"):
        reply = client.ask(Query(LISTED, "A", klass))
        t.check(f"class {klass}: no data", reply and not reply.answer and reply.rcode in ("REFUSED", "NOTIMP", "FORMERR"),
                str(reply))
    for name, kind in ((".", "NS"), ("www.example.com", "A"), ("test", "SOA"), ("com", "DS")):
        reply = client.ask(Query(name, kind, flags=("rd",)))
        t.equal(f"foreign {name}: REFUSED, no referral, RA clear",
                (reply.rcode, reply.flags, reply.answer, reply.authority, reply.additional), ("REFUSED", ["qr", "rd"], [], [], []))
    for name in ("version.bind", "version.server", "id.server", "hostname.bind", LISTED):
        reply = client.ask(Query(name, "TXT", "CH"))
        leaked = reply and any("127.0.0" in text for text in reply.texts("answer"))
        t.check(f"CH {name}: configured text or REFUSED, no data of class IN",
                reply and not leaked and reply.rcode in ("NOERROR", "REFUSED", "NXDOMAIN"), str(reply))
    reply = client.ask(Query("big.bl.test", "ANY", edns=1232))
    t.check("ANY is small over UDP: one RRset or TC (RFC 8482)", reply.size <= 1232 and
            ("tc" in reply.flags or len({r.type for r in reply.answer}) == 1), str(reply)[:300])
    t.check("alive", process.running())


@harness.backends
def test_edns(t):
    """RFC 6891, RFC 5001, RFC 7828, RFC 7830, RFC 7871, RFC 7873."""
    process, client = serve(t)
    reply = client.ask(Query(LISTED))
    t.check("1 no OPT without OPT", reply.opt is None)
    for number, name, kind in ((2, LISTED, "A"), (3, "9.9.9.9.bl.test", "A"), (4, "www.example.com", "A"),
                               (5, "bl.test", "SOA")):
        reply = client.ask(Query(name, kind, edns=1232))
        t.check(f"{number} OPT in {reply.rcode}", reply.opt is not None and reply.opt.ttl & 0xffff_7fff == 0, str(reply.opt))
    wrong = []
    for version in range(1, 256):
        reply = client.ask(Query(LISTED, edns=1232, edns_version=version))
        if reply is None or reply.rcode != "BADVERS" or reply.answer or reply.opt.ttl >> 16 & 255 != 0:
            wrong.append((version, str(reply)))
    t.equal("6 versions 1..255: BADVERS, version 0, no data", wrong, [])
    for code in (0, 1, 4, 6, 9, 14, 26946, 65001, 65535):
        reply = client.ask(Query(LISTED, edns=1232, edns_options=option(code, b"abcd")))
        t.check(f"7 unknown option {code} is ignored, not echoed", reply and reply.rcode == "NOERROR" and reply.answer
                and not reply.opt.rdata, str(reply))
    reply = client.ask(Query(LISTED, edns=1232, edns_flags=0x7fff))
    t.check("8 unknown flags are cleared", reply.opt.ttl & 0x7fff == 0, hex(reply.opt.ttl))
    reply = client.ask(Query(LISTED, edns=1232, edns_flags=0x8000))
    t.check("9 DO does no harm", reply.rcode == "NOERROR" and reply.answer, str(reply))
    for size in (0, 1, 100, 511):
        reply = client.ask(Query("big.bl.test", "TXT", edns=size))
        t.check(f"10 a size of {size} counts as 512", reply and 100 < reply.size <= 512 or "tc" in reply.flags, str(reply)[:200])
    for size in (512, 700, 1000, 1232, 4096, 65535):
        reply = client.ask(Query("big.bl.test", "TXT", edns=size))
        t.check(f"11 size {size}: TC, and no longer than min(size, 1232)", "tc" in reply.flags and reply.size <= min(size, 1232)
                and reply.opt, f"{reply.flags} {reply.size}")
    two = Query(LISTED, edns=1232).encode(9)
    two = two[:10] + b"\0\2" + two[12:] + two[-11:]
    answer = client.exchange(two)
    t.check("12 two OPT: FORMERR", answer and answer[3] & 15 == 1, str(answer))
    lie = Query(LISTED, edns=1232, edns_options=option(65001, b"abcd")).encode(10)[:-3]
    answer = client.exchange(lie, timeout=0.3)
    t.check("13 OPT cut short: FORMERR", answer and answer[3] & 15 == 1, str(answer))
    overrun = Query(LISTED, edns=1232, edns_options=struct.pack(">HH", 65001, 400) + b"abcd")
    reply = client.ask(overrun, timeout=0.3)
    t.check("14 an option longer than RDLENGTH: FORMERR or ignored", reply and reply.rcode in ("FORMERR", "NOERROR"), str(reply))
    owner = Query(LISTED, edns=1232).encode(11)
    owner = owner[:-11] + b"\1x\0" + owner[-10:]
    answer = client.exchange(owner, timeout=0.3)
    t.check("15 OPT with an owner that is not the root: FORMERR or ignored", answer and answer[3] & 15 in (0, 1))
    for code, text in ((11, "keepalive, never over UDP"), (12, "padding"), (8, "client subnet"), (3, "NSID not configured")):
        data = {11: b"", 12: bytes(20), 8: bytes.fromhex("0001180 0c0000200".replace(" ", ""))[:7], 3: b""}[code]
        reply = client.ask(Query(LISTED, edns=1232, edns_options=option(code, data)))
        t.check(f"option {code} ({text}): answered", reply and reply.rcode == "NOERROR" and
                (code == 8 or not reply.opt.rdata), str(reply))
    t.check("alive", process.running())


@harness.backends
def test_sections(t):
    """RFC 1034 section 4.3.2, RFC 2181 section 5: apex answers, glue, one TTL per RRset, no duplicates."""
    _, client = serve(t)
    reply = client.ask("bl.test SOA")
    t.equal("SOA", reply.texts("answer"),
            ["bl.test. 3600 IN SOA ns1.bl.test. hostmaster.bl.test. 7 7200 600 604800 300"])
    reply = client.ask("bl.test NS")
    t.equal("NS", sorted(reply.texts("answer")), ["bl.test. 7200 IN NS ns1.bl.test.", "bl.test. 7200 IN NS ns2.out.test."])
    t.equal("glue for the name server inside the zone", [r.text for r in reply.additional], ["192.0.2.53"])
    reply = client.ask("bl.test A")
    t.equal("records of the apex", [r.text for r in reply.answer], ["192.0.2.1"])
    reply = client.ask(Query("big.bl.test", "TXT", edns=4096))
    over_tcp = client.ask_tcp(Query("big.bl.test", "TXT"))
    t.equal("big over TCP: all 30 records", (len(over_tcp.answer), over_tcp.flags), (30, ["qr", "aa"]))
    t.equal("no record twice", len({r.text for r in over_tcp.answer}), 30)
    t.check("TC over UDP, and the client can come back over TCP", "tc" in reply.flags)
    reply = client.ask_tcp(Query("big.bl.test", "TXT", edns=512))
    t.equal("the EDNS size does not cut TCP", len(reply.answer), 30)
    for name in (LISTED, "bl.test", "deep.er.name.bl.test"):
        reply = client.ask_tcp(Query(name, "ANY"))
        for kind in {record.type for record in reply.answer}:
            t.equal(f"one TTL for type {kind} at {name}", len({r.ttl for r in reply.answer if r.type == kind}), 1)


@harness.backends
def test_tcp_rules(t):
    """RFC 7766, RFC 5936: reuse, pipelining, odd segments, transfers refused, the connection stays sane."""
    process, client = serve(t)
    with client.connect_tcp() as sock:
        for number, kind in enumerate(("AXFR", "IXFR", "AXFR", "A")):
            sock.sendall(harness.frame(Query("bl.test", kind).encode(number)))
            reply = dnswire.decode(harness.read_frame(sock))
            if kind == "A":
                t.equal("the connection is still good", (reply.id, reply.rcode), (number, "NOERROR"))
            else:
                t.check(f"{kind} over TCP: REFUSED or NOTIMP", reply.rcode in ("REFUSED", "NOTIMP") and not reply.answer)
        sock.sendall(harness.frame(Query(LISTED, edns=1232, edns_options=option(11)).encode(9)))
        reply = dnswire.decode(harness.read_frame(sock))
        t.check("keepalive over TCP: ignored or 2 octets (RFC 7828)", len(reply.opt.rdata) in (0, 6), str(reply.opt))
    for junk in (b"\0\0", b"\0\1x", b"\0\x0c" + bytes(12), b"\xff\xff" + b"x" * 100):
        with client.connect_tcp() as sock:
            sock.sendall(junk)
            sock.shutdown(socket.SHUT_WR)
            try:
                harness.read_frame(sock)
            except OSError:
                pass
        t.check(f"alive after {junk[:6]!r}", process.running() and client.ask(LISTED))


@harness.backends
def test_addresses(t):
    """RFC 2181 section 4: the reply leaves from the address that was asked, on IPv4 and IPv6, also on wildcards."""
    zones.write_lists(t.directory)
    image = t.directory / "wire.mzi"
    t.build(image, zones.SPECS, ["--profile=rfc"])
    port = harness.free_port()
    process = t.start([t.binary("mailzoned"), "--image", image, "--listen", f"0.0.0.0:{port}", "--listen", f"[::]:{port}",
                       f"--io={t.io}"])
    t.wait_ready(process, t.client(port))
    for address in ("127.0.0.1", "127.0.0.77", "127.9.8.7", "::1"):
        client = t.client(port, address=address)        # connected: another source address would not be seen
        t.check(f"UDP reply from {address}", client.ask(LISTED) is not None)
        t.check(f"TCP reply from {address}", client.ask_tcp(LISTED) is not None)
