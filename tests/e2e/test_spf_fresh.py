"""SPF zones kept fresh: `mailzone serve` over a DNS that changes, fails, shrinks and comes back."""
import http.server
import json
import os
import pathlib
import signal
import socket
import threading

import harness
import spf_world
from dnswire import Query

ZONE = "_spf.zone.test"
OTHER = "8.8.8.8"


class LiveWorld:
    """A DNS server in a thread whose records may be replaced at any time. TTL 1 second, negative answers too."""

    def __init__(self, zone):
        self.replace(zone)
        self.silent = False
        self.port = harness.free_port()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    def replace(self, zone):
        world = spf_world.World(ttl=1)
        world.add_all(zone)
        self.zone, self.world = zone, world

    def change(self, **names):
        self.replace({**self.zone, **{name.replace("__", "."): records for name, records in names.items()}})

    def _answer(self, query, udp):
        reply = self.world.answer(query, udp, silence=True)
        # The SOA of a denial says how long it may be kept: a second.
        return reply and reply.replace(spf_world.NEGATIVE, spf_world.NEGATIVE[:-4] + b"\0\0\0\1")

    def _serve_udp(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
                reply = None if self.silent else self._answer(query, True)
                if reply:
                    self.socket.sendto(reply, peer)
            except OSError:
                return

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection:
                try:
                    query = harness.read_frame(connection)
                    reply = query and not self.silent and self._answer(query, False)
                    if reply:
                        connection.sendall(harness.frame(reply))
                except OSError:
                    pass

    def close(self):
        self.socket.close()
        self.tcp.close()


BASE = {
    "a.test": [["TXT", "v=spf1 ip4:192.0.2.1 include:p.test -all"]],
    "b.test": [["TXT", "v=spf1 include:p.test ~all"]],
    "c.test": [["TXT", "v=spf1 a:host.c.test -all"]],
    "host.c.test": [["A", "192.0.2.30"]],
    "p.test": [["TXT", "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/28 -all"]],
}
CONFIG = """
[server]
listen = ["127.0.0.1:{port}"]
io = "{io}"
[resolver]
forwarders = ["127.0.0.1@{dns}"]
deadline_ms = 1500
attempts = 1
[spf]
min_refresh = 1
max_refresh = 2
retry_first = 1
retry_max = 1
confirmations = 2
confirm_seconds = {confirm}
confirm_retry = 1
write_interval = 1
{spf}
[[zone]]
name = "{zone}"
type = "spf"
ns = ["ns1.zone.test"]
hostmaster = "hostmaster@zone.test"
{domains}
"""


class Served:
    def __init__(self, t, world, domains='domains = ["a.test", "b.test", "c.test"]', confirm=3600, spf=""):
        self.t, self.world = t, world
        self.port = harness.free_port()
        self.config = t.directory / "mailzone.toml"
        self.config.write_text(CONFIG.format(port=self.port, io=t.io, dns=world.port, zone=ZONE, domains=domains, spf=spf,
                                             confirm=confirm))
        self.start()

    def start(self):
        self.process = self.t.start([self.t.binary("mailzone"), "serve", self.config])
        self.client = self.t.client(self.port)
        self.t.wait_ready(self.process, self.client)

    def text(self, domain, address):
        name = ".".join(reversed(address.split("."))) + f".{domain}.{ZONE}"
        reply = self.client.ask(Query(name, "TXT"), timeout=1.0, tries=3)
        if reply is None:
            return "no answer"
        strings = [r.rdata for r in reply.answer]
        return strings[0][1:].decode() if strings else reply.rcode

    def becomes(self, what, domain, address, text, seconds=12):
        self.t.check(what, harness.wait_until(lambda: self.text(domain, address) == text, seconds, 0.1),
                     f"{self.text(domain, address)}, wanted {text}\n{self.process.log()[-1500:]}")

    def stays(self, what, domain, address, text, seconds=3):
        self.t.check(what, not harness.wait_until(lambda: self.text(domain, address) != text, seconds, 0.1),
                     self.text(domain, address))

    def stop(self):
        self.process.signal(signal.SIGTERM)
        self.t.equal("told to end, it ends well", self.process.wait(10), 0)

    def run(self, *arguments):
        return self.t.run([self.t.binary("mailzone"), *arguments])

    def changes(self):
        path = pathlib.Path(str(self.config.with_suffix(".mzi")) + ".changes")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def world_of(t, zone):
    world = LiveWorld(zone)
    t.callback(world.close)
    return world


def passes(address):
    return f"v=spf1 ip4:{address} -all"


@harness.backends
def test_changes_are_followed(t):
    world = world_of(t, BASE)
    s = Served(t, world)
    s.becomes("own address", "a.test", "192.0.2.1", passes("192.0.2.1"))
    s.becomes("provider's address", "b.test", "198.51.100.7", passes("198.51.100.7"))
    s.becomes("nobody's", "b.test", OTHER, "v=spf1 ~all")
    world.change(p__test=[["TXT", "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/28 ip4:8.8.8.0/24 -all"]])
    s.becomes("a provider's new prefix, for one customer", "a.test", OTHER, passes(OTHER))
    s.becomes("and for the other", "b.test", OTHER, passes(OTHER))
    world.change(host__c__test=[["A", "192.0.2.31"]])
    s.becomes("an address behind a:", "c.test", "192.0.2.31", passes("192.0.2.31"))
    s.becomes("the old one is gone", "c.test", "192.0.2.30", "v=spf1 -all")
    world.change(b__test=[["TXT", "v=spf1 include:p.test ?all"]])
    s.becomes("the qualifier of all", "b.test", "9.9.9.9", "v=spf1 ?all")
    lines = [c for c in s.changes() if c["domain"] == "a.test" and "cause" in c]
    t.check("the change record names the cause", lines and lines[0]["cause"]["question"] == "p.test TXT", str(lines)[:500])
    t.check("the prefix", lines and lines[0]["changes"][0]["prefixes"] == ["8.8.8.0/24"], str(lines)[:500])
    t.check("and the path", lines and lines[0]["path"] == ["a.test", "p.test"], str(lines)[:500])
    shown = s.run("spf", "changes", "--domain", "a.test", s.config)
    t.check("`spf changes` shows it", "because of p.test TXT" in shown.stdout and "8.8.8.0/24" in shown.stdout, shown.stdout)
    s.stop()


@harness.backends
def test_failures_are_held(t):
    """Silence, vanished and broken records, shrinking: what was good stays, and others are not held back."""
    big = "v=spf1 " + " ".join(f"ip4:198.51.{n}.0/24" for n in range(100, 120)) + " -all"
    zone = {**BASE, "p.test": [["TXT", big]]}
    world = world_of(t, zone)
    s = Served(t, world)
    s.becomes("provider's address", "b.test", "198.51.119.7", passes("198.51.119.7"))
    world.silent = True
    s.stays("the DNS is silent: last known good", "b.test", "198.51.119.7", passes("198.51.119.7"), 4)
    world.silent = False
    world.change(p__test=[["TXT", "no record any more"]], c__test=[["TXT", "v=spf1 ip4:9.9.9.9 -all"]])
    s.becomes("another domain goes on", "c.test", "9.9.9.9", passes("9.9.9.9"))
    s.stays("a vanished record is held", "b.test", "198.51.119.7", passes("198.51.119.7"))
    held = s.run("spf", "held", s.config)
    world.change(p__test=[["TXT", big], ["TXT", "v=spf1 -all"]])
    s.stays("two records are held", "b.test", "198.51.119.7", passes("198.51.119.7"))
    world.change(p__test=[["TXT", big[:-4] + "ip4:1.2.3.4.5 -all"]])
    s.stays("a broken record is held", "b.test", "198.51.119.7", passes("198.51.119.7"))
    world.change(p__test=[["TXT", "v=spf1 ip4:198.51.100.0/24 -all"]])
    s.stays("a record that shrank is held", "b.test", "198.51.119.7", passes("198.51.119.7"))
    t.check("the operator is told", harness.wait_until(lambda: "p.test TXT" in s.process.log(), 5), s.process.log()[-1500:])
    ack = s.run("spf", "ack", s.config, "p.test")
    t.equal("`spf ack` is taken", ack.returncode, 0)
    s.becomes("and believed", "b.test", "198.51.119.7", "v=spf1 ~all")
    t.check("`spf held` listed it", held.returncode == 0, held.stdout + held.stderr)
    s.stop()


@harness.backends
def test_confirmation(t):
    """A disappearance that lasts is believed: RFC 7208 says permerror then."""
    world = world_of(t, BASE)
    s = Served(t, world, confirm=3)
    s.becomes("provider's address", "b.test", "198.51.100.7", passes("198.51.100.7"))
    world.change(p__test=[])
    s.becomes("confirmed", "b.test", "198.51.100.7", "v=spf1 exists:%{x}", 20)
    world.change(p__test=BASE["p.test"])
    s.becomes("back again", "b.test", "198.51.100.7", passes("198.51.100.7"))
    s.stop()


@harness.backends
def test_restart(t):
    """The state survives: with a DNS that is silent from the start, everything known is served at once."""
    world = world_of(t, BASE)
    s = Served(t, world)
    s.becomes("served", "b.test", "198.51.100.7", passes("198.51.100.7"))
    s.stop()
    os.unlink(s.config.with_suffix(".mzi"))
    world.silent = True
    s.start()
    s.becomes("from the state file alone", "b.test", "198.51.100.7", passes("198.51.100.7"), 4)
    s.stays("and it stays", "b.test", "198.51.100.7", passes("198.51.100.7"), 3)
    s.stop()


@harness.backends
def test_rollback(t):
    world = world_of(t, BASE)
    s = Served(t, world)
    s.becomes("first", "b.test", OTHER, "v=spf1 ~all")
    world.change(p__test=[["TXT", "v=spf1 ip4:198.51.100.0/24 ip4:8.8.8.0/24 -all"]])
    s.becomes("second", "b.test", OTHER, passes(OTHER))
    listed = json.loads(s.run("rollback", "--json", s.config).stdout)
    t.check("two generations are kept", len(listed["generations"]) >= 2, str(listed))
    t.equal("rollback", s.run("rollback", s.config, str(listed["generations"][0]["generation"])).returncode, 0)
    s.becomes("the first again", "b.test", OTHER, "v=spf1 ~all")
    world.change(b__test=[["TXT", "v=spf1 include:p.test ?all"]])
    s.stays("held against new images", "b.test", OTHER, "v=spf1 ~all")
    t.equal("resume", s.run("rollback", "--resume", s.config).returncode, 0)
    s.becomes("all that came meanwhile", "b.test", "9.9.9.9", "v=spf1 ?all")
    s.becomes("the second again", "b.test", OTHER, passes(OTHER))
    missing = s.run("rollback", s.config, "999")
    t.equal("a generation that is not there", missing.returncode, 1)
    s.stop()


@harness.backends
def test_domain_file(t):
    """The list of domains is read again when it changes; a bad line is told and left out."""
    world = world_of(t, BASE)
    (t.directory / "domains.txt").write_text("a.test\n")
    s = Served(t, world, 'domains_file = "domains.txt"')
    s.becomes("the first", "a.test", "192.0.2.1", passes("192.0.2.1"))
    t.equal("another is unknown", s.text("b.test", "198.51.100.7"), "NXDOMAIN")
    (t.directory / "domains.txt").write_text("a.test\n# more\nb.test\nnot a domain!\n")
    s.becomes("a new one", "b.test", "198.51.100.7", passes("198.51.100.7"))
    t.check("the bad line is told", harness.wait_until(lambda: "domains.txt:4" in s.process.log(), 5), s.process.log()[-1500:])
    (t.directory / "domains.txt").write_text("b.test\n")
    s.becomes("one that is gone", "a.test", "192.0.2.1", "NXDOMAIN")
    s.stop()


def test_hooks(t):
    """The command gets the change record, the webhook a JSON body, the monitor a push while all is well."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def _take(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, body))
            self.send_response(200)
            self.end_headers()
            if self.path.startswith("/list"):
                self.wfile.write(b'{"rows": [{"domain": "a.test"}, {"deeper": [{"domain": "b.test"}, {"domain": 5}]}]}')
        do_GET = do_POST = _take

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    t.callback(httpd.shutdown)
    url = f"http://127.0.0.1:{httpd.server_address[1]}"
    world = world_of(t, BASE)
    out = t.directory / "hook.out"
    s = Served(t, world, f'domains_url = "{url}/list"\ndomains_key = "secret"',
               spf=f'hook_command = "cat >> {out}"\nhook_webhook = "{url}/hook"\n'
                   f'push_url = "{url}/api/push/x?status=up&ping="\npush_interval = 1')
    s.becomes("domains from JSON", "a.test", "192.0.2.1", passes("192.0.2.1"))
    s.becomes("also deeper ones", "b.test", "198.51.100.7", passes("198.51.100.7"))
    world.change(p__test=[["TXT", "v=spf1 ip4:198.51.100.0/24 ip4:8.8.8.0/24 -all"]])
    s.becomes("a change", "b.test", OTHER, passes(OTHER))
    t.check("the command got it", harness.wait_until(lambda: out.exists() and "8.8.8.0/24" in out.read_text(), 5))
    t.check("the webhook got it", harness.wait_until(
        lambda: any(path == "/hook" and b"8.8.8.0/24" in body and json.loads(body)["changes"] for _, path, body in seen), 5),
            str(seen)[:500])
    t.check("the monitor is told, with the time", harness.wait_until(
        lambda: any(path.startswith("/api/push/x?status=up&ping=") and path[-1].isdigit() for _, path, _ in seen), 5))
    s.stop()
