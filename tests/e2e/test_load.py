"""`mailzone load` against our own server (right answers over UDP and TCP, all kinds of datasets), and against servers in
this file that drop, repeat, delay and corrupt: the counts must be exact."""
import json
import os
import re
import socket
import struct
import threading
import time
import xml.dom.minidom

from harness import backends, free_port, read_exactly, wait_until, write_file
from internet import Internet
from zones import SPECS, write_lists

# dnsperf's own example of a query file, with what its parser allows.
EXAMPLE_QUERIES = """; a comment
# another
example.com. A
EXAMPLE.com\tMX

www.example.com AAAA
_sip._tcp.example.com. SRV
example.com ANY
8.8.8.8.in-addr.arpa PTR
"""


def load(t, server, *options, code=0):
    """-> the JSON document"""
    result = t.run([t.binary("mailzone"), "load", server, "--json", *options])
    t.require(f"load {' '.join(map(str, options))} ends with {code}", result.returncode == code,
              f"{result.returncode}: {result.stdout[-1500:]}{result.stderr[-1500:]}")
    return json.loads(result.stdout)


class BadServer:
    """A UDP and TCP server on one port. treat(number, query) -> list of (delay, reply) for the number-th query."""

    def __init__(self, t, treat):
        self.treat, self.queries, self.connections, self.raw = treat, 0, [], []
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.lock = threading.Lock()
        for target in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=target, daemon=True).start()
        t.callback(self.close)

    def close(self):
        for sock in (self.udp, self.tcp):
            sock.close()

    def replies(self, query):
        with self.lock:
            self.queries += 1
            return self.treat(self.queries, query)

    def serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            for delay, reply in self.replies(query):
                if delay:
                    threading.Timer(delay, self.send, (reply, peer)).start()
                else:
                    self.send(reply, peer)

    def send(self, reply, peer):
        try:
            self.udp.sendto(reply, peer)
        except OSError:
            pass

    def serve_tcp(self):
        while True:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(sock,), daemon=True).start()

    def serve_connection(self, sock):
        with sock:
            try:
                header = b""
                if self.proxied:
                    header = read_exactly(sock, 16)
                    header += read_exactly(sock, struct.unpack(">H", header[14:16])[0])
                self.connections.append(header)
                while (prefix := read_exactly(sock, 2)) is not None:
                    query = read_exactly(sock, struct.unpack(">H", prefix)[0])
                    for _, reply in self.replies(query):
                        sock.sendall(struct.pack(">H", len(reply)) + reply)
            except OSError:
                pass

    proxied = False


def answer(query, rcode=0, flags=0x84):
    return query[:2] + bytes([flags, rcode]) + query[4:]


def parse_proxy(data):
    """-> (client address, rest) of a PROXY 2 header"""
    assert data[:12] == b"\r\n\r\n\0\r\nQUIT\n" and data[12] == 0x21, data[:16]
    size = struct.unpack(">H", data[14:16])[0]
    body = data[16:16 + size]
    if data[13] >> 4 == 1:
        return socket.inet_ntop(socket.AF_INET, body[:4]), data[16 + size:]
    return socket.inet_ntop(socket.AF_INET6, body[:16]), data[16 + size:]


def query_file(t, names=50):
    path = t.directory / "q.txt"
    write_file(path, "".join(f"{'n' * (1 + i % 7)}{i}.test A\n" for i in range(names)))
    return path


@backends
def test_every_answer_is_right(t):
    write_lists(t.directory)
    write_file(t.directory / "combined", "$DATASET ip4set:a a sub\n:2:four $\n192.0.2.0/24\n$DATASET ip6trie:b @\n:3:six $\n"
               "2001:db8:7::/48\n$DATASET dnset:c d.e\n:4:name $\n.listed.example\n$DATASET generic:g www\n@ A 192.0.2.7\n")
    write_file(t.directory / "more", "".join(f"{i % 223 + 1}.{i % 7}.{i % 251}.{i % 250} :2:$\n" for i in range(3000)))
    write_file(t.directory / "trie", ":5:trie $\n10.0.0.0/8\n!10.1.0.0/16\n172.16.0.0/12 :6:\n")
    write_file(t.directory / "six", ":7:set $\n2001:db8:1:2\n2001:db8:9::\n")
    t.build(t.directory / "all.mzi", [*SPECS, "c.test:combined:combined", "t.test:ip4tset:more", "t.test:ip4trie:trie",
                                      "s.test:ip6tset:six"])
    _, server = t.start_mailzoned(t.directory / "all.mzi")
    target = f"127.0.0.1:{server.port}"
    common = ["--image", t.directory / "all.mzi", "--verify", "--number", "30000", "--hits", "70", "--ip6", "40", "--zipf", "0.8"]
    engine = ["--engine", "uring"] if t.io == "uring" else ["--engine", "mmsg"]
    for options in (engine, ["--tcp"], ["--tcp", "--queries-per-connection", "7"], ["--no-edns", "--train", "1"],
                    ["--rate", "20k", "--arrivals", "uniform", "--threads", "2"], ["--retry-tcp", "--no-edns"]):
        r = load(t, target, *common, *options)["result"]
        what = " ".join(options)
        t.equal(f"{what}: none is wrong", r["mismatched"], 0)
        t.check(f"{what}: all are verified", r["verified"] == r["answered"] == r["sent"] - r["lost"] and r["answered"] > 29000, r["verified"])
        t.check(f"{what}: hits and misses", r["rcodes"].get("NOERROR", 0) > 10000 and r["rcodes"].get("NXDOMAIN", 0) > 1000, r["rcodes"])
    t.check("some were truncated, and then asked over TCP", r["tcp_retried"] > 0 and r["tcp_retried"] == r["tcp_retry_answered"],
            (r["tcp_retried"], r["tcp_retry_answered"]))
    # The same server against an image that says something else.
    write_file(t.directory / "addresses", (t.directory / "addresses").read_text().replace("listed $", "other $"))
    t.build(t.directory / "other.mzi", [*SPECS])
    result = t.run([t.binary("mailzone"), "load", target, "--image", t.directory / "other.mzi", "--verify", "--number", "20000",
                    "--hits", "100"])
    t.equal("a wrong answer is exit 1", result.returncode, 1)
    t.check("and shown beside the right one", ";; received:" in result.stderr and ";; expected:" in result.stderr, result.stderr[:500])


def test_spf_answers_are_right(t):
    box = Internet(t, customers=20)
    path = box.write_config(t.directory)
    result = t.run([t.binary("mailzone"), "build", path])
    t.require("the image is built", result.returncode == 0, result.stdout + result.stderr)
    _, server = t.start_mailzoned(t.directory / "spf.mzi")
    document = load(t, f"127.0.0.1:{server.port}", "--image", t.directory / "spf.mzi", "--verify", "--number", "30000", "--ip6", "30")
    r = document["result"]
    t.equal("none is wrong", (r["mismatched"], r["verified"]), (0, 30000))
    t.check("policies were asked", r["with_records"] > 25000, r["with_records"])
    t.check("hits, misses, families were drawn", min(document["settings"]["image"]["drawn"].values()) > 100,
            document["settings"]["image"]["drawn"])


def test_losses_and_strays(t):
    def treat(number, query):
        if number % 10 == 0:
            return []                                     # lost
        if number % 10 == 1:
            return [(0, answer(query)), (0, answer(query))]  # duplicate
        if number % 10 == 2:
            return [(0.6, answer(query))]                 # late
        if number % 10 == 3:                              # a stranger before the answer
            return [(0, bytes([query[0] ^ 0x80, query[1]]) + answer(query)[2:]), (0, answer(query, rcode=3))]
        if number % 10 == 4:
            return [(0, b"abc"), (0, answer(query, rcode=5, flags=0x86))]
        return [(0, answer(query))]
    for engine in ("mmsg", "uring"):
        server = BadServer(t, treat)
        # A trickle of queries at the end gives the late answers time to come.
        r = load(t, f"127.0.0.1:{server.port}", "--queries", query_file(t), "--number", "1000", "--window", "50", "--timeout",
                 "0.4", "--ports", "3", "--engine", engine)["result"]
        t.equal(f"{engine}: sent", r["sent"], 1000)
        t.equal(f"{engine}: lost", r["lost"], 200)
        t.equal(f"{engine}: answered", r["answered"], 800)
        t.check(f"{engine}: late", 50 <= r["late"] <= 100, r["late"])
        t.check(f"{engine}: duplicates", 95 <= r["duplicate"] <= 100, r["duplicate"])
        t.check(f"{engine}: unexpected", 195 <= r["unexpected"] <= 200, r["unexpected"])
        t.equal(f"{engine}: rcodes", r["rcodes"], {"NOERROR": 600, "NXDOMAIN": 100, "REFUSED": 100})
        t.equal(f"{engine}: truncated", r["truncated"], 100)
        t.equal(f"{engine}: losses above the limit are exit 1",
                t.run([t.binary("mailzone"), "load", f"127.0.0.1:{server.port}", "-d", query_file(t), "-n", "100", "--timeout",
                       "0.2", "--max-loss", "5", "--engine", engine]).returncode, 1)


def test_latency_counts_from_the_due_time(t):
    """A server that stops for 0.3 s: in open loop a tenth of all queries is late, however slowly the client could send."""
    stall = {"done": False}

    def treat(number, query):
        if number == 1000 and not stall["done"]:
            stall["done"] = True
            time.sleep(0.3)
        return [(0, answer(query))]
    server = BadServer(t, treat)
    r = load(t, f"127.0.0.1:{server.port}", "-d", query_file(t), "--rate", "1000", "--arrivals", "uniform", "--seconds", "2",
             "--warm-up", "0", "--timeout", "2")["result"]
    t.check("all were sent on time", 1980 <= r["sent"] <= 2000 and r["lost"] == 0, (r["sent"], r["lost"]))
    t.check("the stall shows in p90 and beyond", r["latency"]["p90_us"] > 60_000 and r["latency"]["max_us"] > 280_000, r["latency"])
    t.check("and not in the median", r["latency"]["p50_us"] < 60_000, r["latency"])


def test_proxy(t):
    def treat(number, query):
        client, message = parse_proxy(query)
        seen.add(client)
        return [(0, answer(message))]
    seen = set()
    server = BadServer(t, treat)
    r = load(t, f"127.0.0.1:{server.port}", "-d", query_file(t), "-n", "3000", "--proxy", "192.0.2.0/24,2001:db8::/32")["result"]
    t.equal("UDP: every query has its header", (r["answered"], r["lost"]), (3000, 0))
    four = {c for c in seen if ":" not in c}
    t.check("clients of both families, many of them", len(four) > 200 and len(seen - four) > 800, (len(four), len(seen)))
    t.check("within their subnets", all(c.startswith("192.0.2.") for c in four) and
            all(c.startswith("2001:db8:") for c in seen - four), sorted(seen)[:5])
    server = BadServer(t, lambda number, query: [(0, answer(query))])
    server.proxied = True
    r = load(t, f"127.0.0.1:{server.port}", "-d", query_file(t), "-n", "500", "--tcp", "--queries-per-connection", "10",
             "--proxy", "198.51.100.0/24")["result"]
    t.equal("TCP: answered", r["answered"], 500)
    clients = {parse_proxy(c)[0] for c in server.connections}
    t.check("TCP: one header at each connection", len(server.connections) >= 50 and len(clients) > 20, len(server.connections))


def test_what_is_in_a_query(t):
    seen = []

    def treat(number, query):
        seen.append(query)
        return [(0, answer(query))]
    server = BadServer(t, treat)
    path = t.directory / "example.txt"
    write_file(path, EXAMPLE_QUERIES)
    r = load(t, f"127.0.0.1:{server.port}", "-d", path, "-n", "6", "--no-edns", "--no-rd")
    t.equal("dnsperf's example", r["settings"]["distinct_queries"], 6)
    t.check("no EDNS, no RD", all(q[2:12] == b"\0\0\0\1\0\0\0\0\0\0" for q in seen), seen[:1])
    seen.clear()
    load(t, f"127.0.0.1:{server.port}", "-d", path, "-n", "60", "--dnssec", "--cookie", "--client-subnet", "192.0.2.0/20",
         "--edns-option", "65001:c0ffee", "--padding", "128", "--edns", "1400")
    t.check("padded to a multiple of 128", all(len(q) % 128 == 0 for q in seen), sorted({len(q) for q in seen}))
    t.check("the other option", all(b"\xfd\xe9\0\3\xc0\xff\xee" in q for q in seen))
    t.check("size and DO", all(b"\0\0\x29\x05\x78\0\0\x80\0" in q for q in seen))
    subnets = {re.search(rb"\0\x08\0\x07\0\x01\x14\0(...)", q, re.S)[1] for q in seen}
    t.check("client subnet, cut to its length", all(s[:2] == b"\xc0\0" and s[2] == 0 for s in subnets), subnets)
    t.check("cookies differ", len({re.search(rb"\0\x0a\0\x08(.{8})", q, re.S)[1] for q in seen}) > 50)


def test_rates(t):
    server = BadServer(t, lambda number, query: [(0, answer(query))])
    target, queries = f"127.0.0.1:{server.port}", query_file(t)
    document = load(t, target, "-d", queries, "--ramp", "500:1500:500", "--step", "0.3", "--warm-up", "0.1")
    t.equal("ramp: its steps", [s["rate"] for s in document["steps"]], [500, 1000, 1500])
    begun = time.monotonic()
    document = load(t, target, "-d", queries, "--find-max", "--step", "0.2", "--warm-up", "0", "--from", "500", "--to", "4000",
                    "--max-p99", "200ms", "--max-loss", "2")
    t.check("find-max ends with a rate", 400 <= document["max_rate"] <= 4000 and time.monotonic() - begun < 15, document["max_rate"])
    silent = BadServer(t, lambda number, query: [])
    t.equal("find-max: nothing holds", t.run([t.binary("mailzone"), "load", f"127.0.0.1:{silent.port}", "-d", queries, "--find-max",
            "--step", "0.05", "--warm-up", "0", "--from", "50", "--timeout", "0.05"]).returncode, 4)
    r = load(t, target, "-d", queries, "--seconds", "0.5", "--pid", str(os.getpid()), "--seed", "7")
    t.check("the server's CPU time is read", r["result"]["server"]["cpu_us_per_answer"] > 1, r["result"].get("server"))
    t.equal("the seed is told", r["settings"]["seed"], 7)


def test_pages(t):
    server = BadServer(t, lambda number, query: [(0, answer(query))])
    target, queries = f"127.0.0.1:{server.port}", query_file(t)
    for name, options in (("one", ["--rate", "1000", "--seconds", "1.5"]), ("ramp", ["--ramp", "200:600:200", "--step", "0.2"])):
        page = t.directory / f"{name}.html"
        load(t, target, "-d", queries, "--html", page, *options)
        text = page.read_text()
        xml.dom.minidom.parseString(text)   # raises
        t.check(f"{name}: complete in itself", not re.search(r"(src|href)\s*=|url\(|@import|<script|<link", text))
        t.check(f"{name}: plots and both modes", text.count("<svg") >= 3 and "prefers-color-scheme: dark" in text)


def test_mistakes(t):
    def run(*words):
        result = t.run([t.binary("mailzone"), "load", *words])
        return result.returncode, result.stderr
    queries = query_file(t)
    port = free_port()
    for options in ([], ["--tcp"], ["--engine", "uring"]):
        begun = time.monotonic()
        code, text = run(f"127.0.0.1:{port}", "-d", queries, *options)
        t.check(f"nothing listens {options}", code == 4 and "nothing listens" in text and time.monotonic() - begun < 5, (code, text))
    silent = BadServer(t, lambda number, query: [])
    code, text = run(f"127.0.0.1:{silent.port}", "-d", queries, "--seconds", "0.3", "--timeout", "0.2", "--warm-up", "0")
    t.check("nothing answers", code == 4 and "no answer at all" in text, (code, text))
    write_file(t.directory / "bad.txt", "good.test A\nbad.test FOO\n")
    code, text = run("127.0.0.1", "-d", t.directory / "bad.txt")
    t.check("a bad line, with its place", code == 1 and "bad.txt:2:10: error" in text and "         ^~~" in text, (code, text))
    for words in (["127.0.0.1:x", "-d", queries], ["127.0.0.1"], ["127.0.0.1", "-d", queries, "--rate", "0"],
                  ["127.0.0.1", "-d", queries, "--rate", "5", "--window", "5"], ["127.0.0.1", "-d", queries, "--verify"],
                  ["127.0.0.1", "-d", queries, "--proxy", "1.2.3.4/40"], ["127.0.0.1", "-d", queries, "--ramp", "1:2"],
                  ["127.0.0.1", "-d", queries, "--edns-option", "x"], ["127.0.0.1", "-d", queries, "--secnods", "1"]):
        code, text = run(*words)
        t.check(f"usage error: {' '.join(map(str, words[2:]))}", code == 2 and "--help" in text, (code, text))
    t.equal("a missing file", run("127.0.0.1", "-d", t.directory / "none")[0], 3)


def test_signal_ends_with_a_report(t):
    server = BadServer(t, lambda number, query: [(0, answer(query))])
    process = t.start([t.binary("mailzone"), "load", f"127.0.0.1:{server.port}", "-d", query_file(t), "--seconds", "60",
                       "--warm-up", "0", "--json"])
    wait_until(lambda: server.queries > 2000)
    process.signal(2)
    t.equal("exit code", process.wait(5), 0)
    t.check("the report says so", json.loads(process.stdout())["result"]["interrupted"])
