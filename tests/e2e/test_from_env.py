"""`mailzone serve --from-env`: expurgate's variables start resolver, compiler and server in one process group."""
import http.server
import json
import os
import pathlib
import signal
import threading
import tomllib

import harness
from dnswire import Query
from internet import Internet

ZONE = "_spf.flat.example"


def environment(t, box, **variables):
    """Nothing of the surroundings but what programs need."""
    return {"PATH": os.environ["PATH"], "TMPDIR": str(t.directory), "MAILZONE_RESOLVER_FORWARDERS": box.forwarder if box else "127.0.0.1@9",
            "ZONE": ZONE, **variables}


def run(t, *words, **variables):
    clean = {key: value for key, value in variables.items() if value is not None}
    return t.run([t.binary("mailzone"), *words], env={"PATH": os.environ["PATH"], "TMPDIR": str(t.directory), **clean})


def start(t, env, *options):
    """-> (process, client). The environment is exactly `env`."""
    port = harness.free_port()
    if "--state-dir" not in options:
        options += ("--state-dir", t.new_directory())
    env = {**env, "OPTIONS": env.get("OPTIONS", "-e -t 5m") + f" -b 127.0.0.1/{port}"}
    words = [f"{key}={value}" for key, value in env.items()]
    process = t.start(["/usr/bin/env", "-i", *words, t.binary("mailzone"), "serve", "--from-env", *options], name="serve")
    client = t.client(port)
    t.wait_ready(process, client, seconds=30)
    return process, client


def text_of(client, name):
    reply = client.ask(Query(name, "TXT", edns=1232), tries=3)
    return None if reply is None else (reply.rcode, [r.text.strip('"') for r in reply.answer])


def test_serves(t):
    box = Internet(t, customers=12)
    state = t.new_directory()
    process, client = start(t, environment(t, box, MY_DOMAINS=" ".join(box.domains) + " nodot", NS_RECORD="ns1.flat.example",
                                           SOA_HOSTMASTER="host@flat.example", OPTIONS="-e -t 2m -l +-", DELAY="60"),
                            "--state-dir", state)
    wanted = harness.wait_until(lambda: text_of(client, f"1.0.0.127.{box.domains[0]}.{ZONE}"), 15)
    t.check("a domain is answered", wanted and wanted[0] == "NOERROR" and wanted[1][0].startswith("v=spf1 "), wanted)
    for domain in box.domains:
        got = text_of(client, f"9.113.0.203.{domain}.{ZONE}")
        t.check(f"{domain} has one record", got and got[0] == "NOERROR" and len(got[1]) == 1, got)
    google = next(d for d in box.domains if "_spf.google.com" in box.sources[d] and "-ip4" not in box.sources[d])
    t.equal("an address of an included provider passes", text_of(client, f"1.160.233.64.{google}.{ZONE}"),
            ("NOERROR", ["v=spf1 ip4:64.233.160.1 -all"]))
    reply = client.ask(Query(f"1.160.233.64.{google}.{ZONE}", "TXT"), tries=3)
    t.check("-t is the longest TTL", reply.answer[0].ttl <= 120, reply.answer)
    soa = client.ask(Query(ZONE, "SOA"), tries=3)
    t.check("NS_RECORD and SOA_HOSTMASTER are the SOA",
            soa.answer and soa.answer[0].text.startswith("ns1.flat.example. host.flat.example. "), soa.answer)
    unknown = text_of(client, f"1.0.0.127.unknown.example.{ZONE}")
    t.equal("an unknown domain", unknown, ("NXDOMAIN", []))
    t.check("the entry that is no domain is named", "MY_DOMAINS: left out: 'nodot'" in process.stderr(), process.stderr()[:600])
    t.check("-l +- writes the query log to standard output",
            harness.wait_until(lambda: google in process.stdout(), 5), process.stdout()[-300:])
    config = state / "from-env.toml"
    t.equal("only the owner reads the configuration", config.stat().st_mode & 0o777, 0o600)
    t.check("image and state lie beside it", (state / "spf.mzi").exists(), sorted(p.name for p in state.iterdir()))
    process.signal(signal.SIGTERM)
    t.equal("SIGTERM ends it in order", process.wait(15), 0)
    t.check("the state was saved", any(p.name.endswith(".state") for p in state.iterdir()), sorted(p.name for p in state.iterdir()))


def test_as_another_user(t):
    if os.geteuid() != 0:
        raise harness.Skip("needs root")
    box = Internet(t, customers=2)
    process, client = start(t, environment(t, box, MY_DOMAINS=box.domains[0], OPTIONS="-u nobody"))
    got = harness.wait_until(lambda: text_of(client, f"9.113.0.203.{box.domains[0]}.{ZONE}"), 15)
    t.check("mailzoned answers as another user", got and got[0] == "NOERROR", (got, process.log()[-600:]))


def test_state_directory(t):
    box = Internet(t, customers=1)
    scratch = t.new_directory()
    env = environment(t, box, MY_DOMAINS=box.domains[0])
    process, _ = start(t, env, "--state-dir", scratch / "made" / "here")
    t.check("--state-dir is made", (scratch / "made" / "here" / "from-env.toml").exists())
    process.stop()
    told = run(t, "serve", "--from-env", "--state-dir", "/dev/null/x", MY_DOMAINS="a.example", ZONE=ZONE)
    t.check("one that cannot be made is an error", told.returncode in (3, 4) and "/dev/null/x" in told.stderr, told)


def test_source_prefix(t):
    box = Internet(t, customers=1, records='plain.example. TXT "v=spf1 ip4:192.0.2.1 -all"\n_own.plain.example. TXT "v=spf1 ip4:192.0.2.2 ~all"\n')
    for variables, passes, action in ((dict(SOURCE_PREFIX_OFF="True"), 1, "-all"), (dict(SOURCE_PREFIX="_own"), 2, "~all"),
                                      (dict(SOURCE_PREFIX="_own", SOURCE_PREFIX_OFF="False"), 2, "~all")):
        process, client = start(t, environment(t, box, MY_DOMAINS="plain.example", **variables))
        name = f"{passes}.2.0.192.plain.example.{ZONE}"
        got = harness.wait_until(lambda: text_of(client, name), 15)
        t.equal(f"{variables}: pass", got, ("NOERROR", [f"v=spf1 ip4:192.0.2.{passes} -all"]))
        t.equal(f"{variables}: others", text_of(client, f"9.2.0.192.plain.example.{ZONE}"), ("NOERROR", [f"v=spf1 {action}"]))
        process.stop()


class RestDb(http.server.BaseHTTPRequestHandler):
    """A list of domains as JSON, for those who know the key; an Uptime-Kuma that remembers who pushed."""
    documents = []
    pushed = []

    def do_GET(self):
        if self.path.startswith("/api/push/"):
            self.pushed.append(self.path)
            body = b'{"ok":true}'
        elif self.headers.get("x-apikey") == "the key":
            body = json.dumps(self.documents).encode()
        else:
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_restdb_and_push(t):
    box = Internet(t, customers=3)
    RestDb.documents = [{"_id": 1, "domain": box.domains[0]}, {"nested": {"list": [{"domain": box.domains[1]}]}}, {"domain": "nodot"}]
    RestDb.pushed = []
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RestDb)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    t.callback(web.server_close)
    t.callback(web.shutdown)
    url = f"http://127.0.0.1:{web.server_port}"
    env = environment(t, box, RESTDB_URL=url + "/rest/domains", RESTDB_KEY="the key",
                      UPTIMEKUMA_PUSH_URL=url + "/api/push/abc?status=up&msg=OK&ping=")
    _, client = start(t, env)
    for domain, rcode in ((box.domains[0], "NOERROR"), (box.domains[1], "NOERROR"), (box.domains[2], "NXDOMAIN")):
        got = harness.wait_until(lambda: text_of(client, f"9.113.0.203.{domain}.{ZONE}"), 15)
        t.check(f"{domain}: {rcode}", got and got[0] == rcode, got)
    t.check("the monitor is pushed, with milliseconds",
            harness.wait_until(lambda: any(path.split("&ping=")[1].isdigit() for path in RestDb.pushed), 15), RestDb.pushed)
    refused = t.run(["/usr/bin/env", "-i", *[f"{k}={v}" for k, v in {**env, "RESTDB_KEY": "wrong", "UPTIMEKUMA_PUSH_URL": ""}.items()],
                     t.binary("mailzone"), "spf", "emit", "--from-env", "--state-dir", t.new_directory()])
    t.check("a list that cannot be read: exit 4", refused.returncode == 4 and "domains_url" in refused.stderr,
            (refused.returncode, refused.stderr))


def test_print_config(t):
    """What is printed is a configuration that can be kept."""
    told = run(t, "serve", "--from-env", "--print-config", MY_DOMAINS="a.example b.example", ZONE=ZONE, DELAY="90",
               SOURCE_PREFIX="_p", OPTIONS="-b 127.0.0.1/5353", RESTDB_KEY=None)
    t.equal("exit 0", told.returncode, 0)
    config = tomllib.loads(told.stdout)
    t.equal("the zone", config["zone"], [{"name": ZONE, "type": "spf", "source_prefix": "_p", "domains": ["a.example", "b.example"]}])
    t.equal("the server", config["server"], {"listen": ["127.0.0.1:5353"], "image": "spf.mzi"})
    t.equal("the delay", config["spf"]["max_refresh"], 90)


def test_mistakes(t):
    told = run(t, "serve", "--from-env", MY_DOMAIN="a.example", ZONE=ZONE)
    t.equal("no domains, but something similar: exit 2", told.returncode, 2)
    t.check("did you mean", "MY_DOMAIN is unknown, and no domains are given\nnote: did you mean MY_DOMAINS?" in told.stderr, told.stderr)
    told = run(t, "serve", "--from-env", "--print-config", MY_DOMAINS="a.example", ZONE=ZONE, SOA_HOSTMASTERS="h@a.example")
    t.check("with domains it is a warning", told.returncode == 0 and "did you mean SOA_HOSTMASTER?" in told.stderr, told.stderr)
    for name, value in (("DELAY", "soon"), ("OPTIONS", "-Z"), ("SOURCE_PREFIX_OFF", "maybe"), ("RUNNING_CONFIG_ON", "3"),
                        ("ZONE", "a b"), ("MY_DOMAINS", ""), ("RESTDB_URL", "ftp://x")):
        told = run(t, "serve", "--from-env", **{"MY_DOMAINS": "a.example", "ZONE": ZONE, name: value})
        t.check(f"{name}='{value}': exit 2, named", told.returncode == 2 and f"error: {name}" in told.stderr, told.stderr)
    told = run(t, "serve", "--from-env", "--print-config")
    t.check("nothing set: demo", told.returncode == 0 and "demo mode" in told.stderr and "service-now.com" in told.stdout, told.stderr)
    told = run(t, "serve", "--from-env", "mailzone.toml", MY_DOMAINS="a.example")
    t.equal("--from-env and a configuration", told.returncode, 2)
    t.equal("neither", run(t, "serve").returncode, 2)


def test_emit_from_env(t):
    """People who keep their rbldnsd: the same variables, RUNNING_CONFIG_ON decides about files."""
    box = Internet(t, customers=3)
    env = environment(t, box, MY_DOMAINS=" ".join(box.domains))
    output = t.directory / "output"
    told = t.run([t.binary("mailzone"), "spf", "emit", "--from-env", "--state-dir", t.directory, "-o", output], env=env)
    t.check("one file in the old structure", told.returncode == 0 and "# Running config for: 3 domains" in output.read_text(),
            told.stderr)
    directory = pathlib.Path(t.new_directory())
    told = t.run([t.binary("mailzone"), "spf", "emit", "--from-env", "--state-dir", t.directory, "-o", directory],
                 env={**env, "RUNNING_CONFIG_ON": "0"})
    t.equal("RUNNING_CONFIG_ON=0: a file per domain", sorted(p.name for p in directory.iterdir()),
            sorted(d.replace(".", "-") for d in box.domains))
