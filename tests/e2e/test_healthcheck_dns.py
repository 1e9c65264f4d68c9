"""Healthcheck zones over real DNS packets: SPF verifiers judge what is served, a strict resolver walks to all names, faults
are measured, IDs that are none get nothing. The IDs are made by `mailzone healthcheck new`.
"""
import concurrent.futures
import json
import os
import signal
import sqlite3
import time

import harness
import spf_compare
import spf_oracle
import spf_receiver
import unbound
from dnswire import Query

ZONE = "hc.test"
IP = "192.0.2.25"
CONFIG = """[server]
image = "hc.mzi"
[[zone]]
name = "hc.test"
type = "healthcheck"
ns = ["ns1.hc.test"]
hostmaster = "hostmaster@hc.test"
key_files = ["keys/id.key"]
dkim_keys = "keys"
mail_hosts = ["mail.hc.test 192.0.2.25"]
hosts = ["ns1.hc.test 127.0.0.1"]
dmarc_rua = "reports@hc.test"
{more}
"""

KEYS = {}       # file name -> content


class Zone:
    """A healthcheck zone, built and served."""

    def __init__(self, t, more="", files=None):
        self.t = t
        self.directory = t.new_directory()
        for name, text in (files or {}).items():
            (self.directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        self.config = self.directory / "mailzone.toml"
        self.config.write_text(CONFIG.format(more=more))
        self.take_keys()
        built = self.mailzone("build", "mailzone.toml")
        t.require("the zone is built", built.returncode == 0, built.stdout + built.stderr)
        self.image = self.directory / "hc.mzi"
        self.process, self.client = t.start_mailzoned(self.image)
        self.port = self.client.port

    def take_keys(self):
        """Keys of the first zone for all: RSA with 4096 bits takes its time."""
        directory = self.directory / "keys"
        if not KEYS:
            made = self.mailzone("healthcheck", "keygen", "keys")
            self.t.require("keys are made", made.returncode == 0, made.stderr)
            KEYS.update({path.name: path.read_bytes() for path in directory.iterdir()})
            return
        directory.mkdir()
        for name, content in KEYS.items():
            (directory / name).write_bytes(content)

    def mailzone(self, *words):
        return self.t.run([self.t.binary("mailzone"), *words], cwd=self.directory)

    def new(self, **settings):
        words = [f"--{dimension}={outcome}" for dimension, outcome in settings.items()]
        made = self.mailzone("healthcheck", "new", "--config", "mailzone.toml", "--id-only", *words)
        self.t.require(f"an ID for {settings}", made.returncode == 0, made.stderr)
        return made.stdout.strip()

    def outcomes(self, dimension):
        listed = self.mailzone("healthcheck", "list", "--json")
        document = json.loads(listed.stdout)
        for d in document["dimensions"]:
            if d["dimension"] == dimension:
                return d["outcomes"]
        raise KeyError(dimension)

    def ask(self, name, kind="TXT", **keywords):
        return self.client.ask(Query(name, kind, edns=1232), **keywords)


def resolver(t, zone, strict="yes", caps="no"):
    return unbound.start(t, {ZONE: zone.port}, "qname-minimisation: yes", f"qname-minimisation-strict: {strict}",
                         f"use-caps-for-id: {caps}", "harden-below-nxdomain: yes",
                         'local-data-ptr: "192.0.2.25 mail.hc.test"')[1]


def test_spf_verifiers(t):
    """pyspf and Mail::SPF say of every outcome what the catalogue expects."""
    zone = Zone(t)
    receiver = spf_receiver.Receiver(0)
    t.callback(receiver.close)
    receiver.route(ZONE, zone.port)
    receiver.route("2.0.192.in-addr.arpa", resolver(t, zone).port)     # reverse names are the network's, not the zone's
    pyspf = spf_oracle.PySpf(receiver)
    router, mailspf = spf_compare.start_mailspf()
    t.callback(router.close)
    t.callback(mailspf.close)
    router.receiver = receiver
    for outcome in zone.outcomes("spf"):
        word, want = outcome["outcome"], outcome["expected"]
        sender = f"no-reply@{zone.new(spf=word)}.{ZONE}"
        t.equal(f"pyspf: spf={word}", pyspf.check(IP, sender, "mail.hc.test", True).result, want)
        if word == "temperror-silence":
            continue    # Mail::SPF's resolver waits a minute for it
        t.equal(f"Mail::SPF: spf={word}", mailspf.check(IP, sender, "mail.hc.test", True).result, want)
        if want == "pass" and word != "pass-all":
            t.check(f"pyspf: spf={word} from elsewhere is no pass",
                    pyspf.check("198.51.100.200", sender, "mail.hc.test", True).result in ("fail", "neutral"))


def test_strict_resolver(t):
    """QNAME minimisation in strict mode, and 0x20: every name of an ID is found."""
    zone = Zone(t)
    names = {"": ("TXT", "MX", "A"), "_dmarc": ("TXT",), "s1._domainkey": ("TXT",), "_mta-sts": ("TXT",), "mta-sts": ("A",),
             "_smtp._tls": ("TXT",), "default._bimi": ("TXT",), "_25._tcp.mx": ("TYPE52",), "mx": ("A",), "helo": ("A",),
             "25.2.0.192.e": ("A",), "inc": ("TXT",)}
    for strict, caps in (("yes", "no"), ("no", "yes")):
        client = resolver(t, zone, strict, caps)
        for spf in ("pass", "temperror-servfail", "pass-cname", "pass-tcp", "none-nxdomain"):
            identity = zone.new(spf=spf, dkim="pass-rsa4096", dmarc="reject", mx="pass", inbound="tlsa-mismatch",
                                bimi="valid")
            identity2 = zone.new(spf=spf, inbound="sts-enforce")
            for sub, kinds in names.items():
                for kind in kinds:
                    own = identity2 if sub in ("_mta-sts", "mta-sts") else identity
                    name = (sub + "." if sub else "") + own + "." + ZONE
                    reply = client.ask(Query(name, kind, flags=("rd",), edns=4096), timeout=8)
                    want_none = sub == "" and (spf == "temperror-servfail" and kind == "TXT" or
                                               spf == "none-nxdomain" and kind != "A")
                    if reply is not None and "tc" in reply.flags:
                        reply = client.ask_tcp(Query(name, kind, flags=("rd",)))
                    got = reply is not None and len(reply.answer) > 0
                    t.check(f"strict={strict} 0x20={caps} spf={spf}: {kind} {sub or '@'}", got != want_none, reply)


@harness.backends
def test_faults(t):
    """Delays are as long as said, over UDP and TCP, and hold nobody else up; silence is silent."""
    zone = Zone(t)
    delays = {"delay-500ms": 0.5, "delay-2s": 2.0, "delay-4900ms": 4.9}
    if t.io == "uring":
        delays["delay-9s"] = 9.0

    def measure(word, tcp):
        client = harness.Client(zone.port)
        query = Query(f"{identities[word]}.{ZONE}", "TXT", edns=1232)
        begin = time.monotonic()
        reply = client.ask_tcp(query, timeout=15) if tcp else client.ask(query, timeout=15)
        client.close()
        return word, tcp, time.monotonic() - begin, reply

    identities = {word: zone.new(spf="pass", fault=word) for word in delays}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        running = [pool.submit(measure, word, tcp) for word in delays for tcp in (False, True)]
        time.sleep(0.2)
        begin = time.monotonic()
        plain = zone.new(spf="pass")
        for _ in range(20):
            t.check("others are answered meanwhile", zone.ask(f"{plain}.{ZONE}") is not None)
        for future in running:
            word, tcp, seconds, reply = future.result()
            what = f"{word} over {'TCP' if tcp else 'UDP'}"
            t.check(f"{what} comes", reply is not None and len(reply.answer) == 1, reply)
            t.check(f"{what} takes its time", delays[word] - 0.02 <= seconds <= delays[word] + 1.5, f"{seconds:.2f} s")
    t.check("the delays ran side by side", time.monotonic() - begin < 12)
    silent = zone.new(spf="pass", dmarc="reject", fault="silence")
    t.check("silence", zone.ask(f"_dmarc.{silent}.{ZONE}", timeout=0.6) is None)
    t.check("but an address for those who ask on their way", zone.ask(f"{silent}.{ZONE}", "A") is not None)
    for word, rcode in (("servfail", "SERVFAIL"), ("refused", "REFUSED"), ("notimp", "NOTIMP"), ("nxdomain", "NXDOMAIN")):
        reply = zone.ask(f"{zone.new(spf='pass', fault=word)}.{ZONE}")
        t.equal(f"fault={word}", reply.rcode, rcode)
    cut = f"{zone.new(spf='pass', fault='truncate')}.{ZONE}"
    t.check("truncate: TC", "tc" in zone.ask(cut).flags)
    t.equal("truncate: whole over TCP", len(zone.client.ask_tcp(Query(cut, "TXT")).answer), 1)
    big = zone.client.exchange(Query(f"{zone.new(spf='pass', fault='oversize')}.{ZONE}", "TXT").encode(77))
    t.check("oversize: more than 512 octets without EDNS", big is not None and len(big) > 512, big and len(big))


def test_ids(t):
    """Forged, expired, in capitals, with more labels."""
    zone = Zone(t, more='expiry = "60s"\nopaque_ids = false')
    good = zone.new(spf="softfail")
    t.equal("a good ID", zone.ask(f"{good}.{ZONE}").rcode, "NOERROR")
    t.equal("in capitals", len(zone.ask(f"{good.upper()}.{ZONE.upper()}").answer), 1)
    forged = good[:-1] + ("0" if good[-1] != "0" else "1")
    for what, label in (("forged", forged), ("cut", good[:-1]), ("too long", good + "0"), ("no hex", "g" + good[1:]),
                        ("random", "7f" * 16), ("a label before it that nobody knows", "nobody." + good)):
        reply = zone.ask(f"{label}.{ZONE}")
        t.equal(what, reply.rcode, "NXDOMAIN")
        t.equal(f"{what}: SOA", len(reply.authority), 1)
    t.equal("an empty non-terminal", zone.ask(f"_domainkey.{good}.{ZONE}").rcode, "NOERROR")
    t.equal("mode of the image", oct(os.stat(zone.image).st_mode & 0o777), "0o640")
    said = zone.mailzone("explain", "hc.mzi", f"_dmarc.{good}.{ZONE}", "TXT").stdout
    t.check("explain reads the ID", "spf=softfail, by key 0" in said, said)
    said = zone.mailzone("explain", "hc.mzi", f"{forged}.{ZONE}", "TXT").stdout
    t.check("explain says why it is none", "no key of the zone made this ID" in said, said)
    said = zone.mailzone("dump", "hc.mzi").stdout
    t.check("dump shows outcomes", 'spf softfail: 60 TXT "v=spf1 ~all"' in said, said[:2000])
    key = (zone.directory / "keys" / "id.key").read_text().strip()
    t.check("and no keys", key not in said)
    (zone.directory / "keys" / "id2.key").write_text("11" * 32 + "\n")
    zone.config.write_text(zone.config.read_text().replace("keys/id.key", "keys/id2.key").replace("hc.mzi", "new.mzi"))
    zone.mailzone("build", "mailzone.toml")
    said = zone.mailzone("diff", "hc.mzi", "new.mzi")
    t.check("diff tells that a key changed", said.returncode == 1 and "another key" in said.stdout, said.stdout)


def test_opaque_and_registered(t):
    """Opaque IDs; registered ones from text and from SQLite."""
    identity, other = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
    zone = Zone(t, more='opaque_ids = true\nregistered = "ids.txt"', files={"ids.txt": f"# old\n{identity} spf=hardfail\n"})
    opaque = zone.new(spf="softfail")
    t.equal("an opaque ID", zone.ask(f"{opaque}.{ZONE}").texts("answer")[0].split(" ", 4)[4], '"v=spf1 ~all"')
    t.equal("a registered ID", zone.ask(f"{identity}.{ZONE}").texts("answer")[0].split(" ", 4)[4], '"v=spf1 -all"')
    t.equal("another", zone.ask(f"{other}.{ZONE}").rcode, "NXDOMAIN")

    path = t.directory / "messages.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE messages (id INTEGER, message_id TEXT, spf TEXT, dkim TEXT, dmarc TEXT, mx TEXT, "
                         "deleted_at TEXT)")
        database.executemany("INSERT INTO messages VALUES (?,?,?,?,?,?,?)", [
            (1, identity, "softfail", "none", "reject", "pass", None), (2, other, "pass", None, None, None, "2020-01-01")])
    zone = Zone(t, more='registered = "messages.db"', files={"messages.db": path.read_bytes()})
    t.equal("SQLite: SPF", zone.ask(f"{identity}.{ZONE}").texts("answer")[0].split(" ", 4)[4], '"v=spf1 ~all"')
    t.equal("SQLite: DMARC", len(zone.ask(f"_dmarc.{identity}.{ZONE}").answer), 1)
    t.equal("SQLite: deleted", zone.ask(f"{other}.{ZONE}").rcode, "NXDOMAIN")


@harness.backends
def test_key_rotation(t):
    """Two keys are good at once, and a swapped image forgets the old one without losing anything else."""
    zone = Zone(t)
    old = zone.new(spf="fail")
    zone.mailzone("healthcheck", "keygen", "keys", "--only", "id", "--id-file", "id2.key")
    text = zone.config.read_text()
    zone.config.write_text(text.replace('["keys/id.key"]', '["keys/id.key", "keys/id2.key"]\nsigning_key = 1'))
    zone.mailzone("build", "mailzone.toml")
    zone.process.signal(signal.SIGHUP)
    new = zone.new(spf="softfail")
    t.check("IDs of the second key are good", harness.wait_until(lambda: zone.ask(f"{new}.{ZONE}").rcode == "NOERROR"))
    t.equal("and those of the first", zone.ask(f"{old}.{ZONE}").rcode, "NOERROR")
    third = "22" * 32 + "\n"
    (zone.directory / "keys" / "id.key").write_text(third)
    zone.mailzone("build", "mailzone.toml")
    zone.process.signal(signal.SIGHUP)
    t.check("a key that went takes its IDs along",
            harness.wait_until(lambda: zone.ask(f"{old}.{ZONE}").rcode == "NXDOMAIN"))
    t.equal("the second stays", zone.ask(f"{new}.{ZONE}").rcode, "NOERROR")


def test_bad_input(t):
    """Wrong keys and settings: a clear message and the documented exit code."""
    zone = Zone(t)
    config = zone.config.read_text()

    def attempt(what, text, code, *words):
        zone.config.write_text(text)
        for verb in ("check", "build"):
            done = zone.mailzone(verb, "mailzone.toml")
            said = done.stdout + done.stderr
            t.check(f"{verb}: {what}", done.returncode == code and all(word in said for word in words),
                    f"exit {done.returncode}: {said}")

    attempt("no key", config.replace('key_files = ["keys/id.key"]', ""), 2, "no keys", "keygen")
    attempt("key file missing", config.replace("keys/id.key", "keys/none.key"), 3, "none.key", "keygen")
    attempt("key file of another kind", config.replace("keys/id.key", "keys/rsa2048.pem"), 2, "64 hexadecimal digits")
    attempt("unknown key of the configuration", config.replace("dkim_keys", "dkim_kyes"), 2, "did you mean 'dkim_keys'?")
    attempt("DKIM keys missing", config.replace('dkim_keys = "keys"', 'dkim_keys = "nowhere"'), 3, "nowhere", "keygen")
    attempt("address", config.replace("mail.hc.test 192.0.2.25", "mail.hc.test 192.0.2.256"), 2, "192.0.2.256")
    attempt("TTL", config.replace('dkim_keys', 'ttl = 300\ndkim_keys'), 2, "60 seconds")
    (zone.directory / "ids.txt").write_text("0123456789abcdef0123456789abcdef spf=softfial\n")
    attempt("registered ID", config.replace('dkim_keys', 'registered = "ids.txt"\ndkim_keys'), 2, "ids.txt:1:34", "softfail")
