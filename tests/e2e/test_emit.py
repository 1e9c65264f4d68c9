"""`mailzone spf emit`: real rbldnsd and NSD load what is written, and answer like mailzoned does.

The policies are those of an internet in a box (internet.py). Addresses are those at the borders of every prefix: its first
and last, and their neighbours; a seeded sample of all of them is asked over real packets.
"""
import collections
import ipaddress
import json
import os
import random
import select
import socket

import dnswire
import harness
from dnswire import Query
from internet import Internet, ZONE
from unbound import find_program

WINDOW = 64                 # queries on their way at once
SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def query_name(address, domain):
    """What %{ir}.%{d} makes."""
    if address.version == 4:
        reversed_labels = str(address).split(".")[::-1]
    else:
        reversed_labels = list(address.exploded.replace(":", ""))[::-1]
    return ".".join(reversed_labels) + f".{domain}.{ZONE}"


def ask_all(port, names, kind="TXT"):
    """-> [(rcode, [text or address of each answer])], in the order of the names; None where nothing came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        out = []
        for begin in range(0, len(names), WINDOW):
            out += _ask_window(sock, names[begin:begin + WINDOW], kind)
    return out


def _ask_window(sock, names, kind):
    replies = {}
    for _ in range(3):      # a loaded machine may lose packets
        for i, name in enumerate(names):
            if i not in replies:
                sock.send(Query(name, kind, edns=1232).encode(i + 1))
        while len(replies) < len(names) and select.select([sock], [], [], 1.0)[0]:
            reply = dnswire.decode(sock.recv(65535))
            replies[reply.id - 1] = (reply.rcode, [r.text for r in reply.answer])
        if len(replies) == len(names):
            break
    return [replies.get(i) for i in range(len(names))]


def join_strings(text):
    """`"a" "b"` -> `ab`"""
    return "".join(text.strip('"').split('" "'))


def normal(record):
    """Addresses in one spelling, so that texts can be compared."""
    terms = []
    for term in record.split(" "):
        if term.startswith("ip6:") and "/" not in term:
            term = "ip6:" + str(ipaddress.ip_address(term[4:]))
        terms.append(term)
    return " ".join(terms)


def reduced(record, address):
    """What a record says about one address: terms that depend on the message, and where the list ends for sure."""
    out = []
    for term in record.split(" ")[1:]:
        bare = term.lstrip("+-~?")
        sign = term[0] if term[0] in "-~?" else "+"
        if bare.startswith(("ip4:", "ip6:")):
            network = ipaddress.ip_network(bare[4:], strict=False)
            if network.version == address.version and address in network:
                return out + [sign]
        elif bare == "all":
            return out + [sign]
        else:
            out.append(term)
    return out


def borders(policies, versions=(4, 6)):
    """Every address at a border of a prefix: [(domain, address)], each once, in a fixed order."""
    seen = set()
    for domain in policies["domains"]:
        for version in versions:
            last = 2 ** (32 if version == 4 else 128) - 1
            for group in domain[f"v{version}"]:
                for text in group["prefixes"]:
                    network = ipaddress.ip_network(text)
                    first, end = int(network.network_address), int(network.broadcast_address)
                    for value in (first - 1, first, end, end + 1):
                        if 0 <= value <= last:
                            seen.add((domain["domain"], version, value))
    make = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
    return [(domain, make[version](value)) for domain, version, value in sorted(seen)]


def emit(t, config, *options, code=0):
    result = t.run([t.binary("mailzone"), "spf", "emit", config, *options])
    t.require(f"spf emit {' '.join(map(str, options))} ends with {code}", result.returncode == code,
              f"{result.returncode}: {result.stdout[-500:]}{result.stderr[-2000:]}")
    return result


def start_reference(t, files, directory):
    """Debian's rbldnsd on a combined zone."""
    if not os.path.exists(harness.REFERENCE):
        raise harness.Skip("rbldnsd is not installed")
    spec = f"{ZONE}:combined:" + ",".join(str(file) for file in files)
    process, client = t.start_rbldnsd([spec], ["-c", "0", "-t", "5m"], directory=directory, program=harness.REFERENCE)
    warnings = [line for line in process.log().splitlines() if "warning" in line or "error" in line]
    t.equal("rbldnsd loads the file without a warning", warnings, [])
    return client.port


def start_served(t, box, **config):
    """-> (configuration, mailzoned's port, policies as JSON)"""
    path = box.write_config(t.directory, **config)
    result = t.run([t.binary("mailzone"), "build", path])
    t.require("the image is built", result.returncode == 0, result.stdout + result.stderr)
    _, server = t.start_mailzoned(t.directory / "spf.mzi")
    text = t.run([t.binary("mailzone"), "spf", "emit", path, "--format=json"]).stdout
    return path, server.port, json.loads(text)


def sample(t, pairs, most):
    return random.Random(t.options.seed).sample(pairs, most) if len(pairs) > most else pairs


def compare(t, pairs, ours, theirs, agree):
    """Asks both for every pair; counts one check per answer that agrees, shows the first that do not."""
    names = [query_name(address, domain) for domain, address in pairs]
    wrong, kinds = [], collections.Counter()
    for (domain, address), mine, other in zip(pairs, ask_all(ours, names), ask_all(theirs, names)):
        verdict = agree(address, mine, other)
        kinds[verdict] += 1
        if not verdict:
            wrong.append((domain, str(address), mine, other))
    t.check(f"{len(pairs)} answers at the borders of prefixes agree", not wrong,
            f"{len(wrong)} differ, first: " + "\n".join(map(str, wrong[:5])))
    return kinds


def same_text(address, mine, other):
    """The verdict on answers of mailzoned and of rbldnsd-exact; False: they differ."""
    if mine is None or other is None:
        return False
    if mine[0] == "SERVFAIL":   # rbldnsd has no words for temperror
        return other == ("NOERROR", ['"v=spf1 exists:%{x}"']) and "temperror"
    if address in SIX_TO_FOUR and len(other[1]) == 2:
        # rbldnsd looks such a client up as IPv4 too and answers both: documented.
        return normal(join_strings(mine[1][0])) in [normal(join_strings(text)) for text in other[1]] and "6to4"
    if mine[0] != "NOERROR" or other[0] != "NOERROR" or len(mine[1]) != 1 or len(other[1]) != 1:
        return False
    return normal(join_strings(mine[1][0])) == normal(join_strings(other[1][0])) and "equal"


def same_meaning(address, mine, other):
    """For formats with other texts: what the records say about this address."""
    if mine is None or other is None:
        return False
    if mine[0] == "SERVFAIL":
        return other == ("NOERROR", ['"v=spf1 exists:%{x}"']) and "temperror"
    if address in SIX_TO_FOUR and len(other[1]) == 2:
        return "6to4"
    if mine[0] != "NOERROR" or other[0] != "NOERROR" or len(mine[1]) != 1 or len(other[1]) != 1:
        return False
    return reduced(join_strings(mine[1][0]), address) == reduced(join_strings(other[1][0]), address) and "equal"


def test_exact(t):
    box = Internet(t, customers=570, faults=True)
    config, server, policies = start_served(t, box)
    target = t.directory / "running-config"
    # One provider's zone is broken: what rests on it is temperror, which the file cannot say.
    emit(t, config, "--format=rbldnsd-exact", "-o", target, code=1)
    text = target.read_bytes()
    reference = start_reference(t, [target], t.directory)
    pairs = [pair for pair in borders(policies) if pair[1] not in MAPPED]
    t.check("the box has borders in both families", len(pairs) > 200000, len(pairs))
    kinds = compare(t, sample(t, pairs, 30000), server, reference, same_text)
    t.check("nearly all are plain comparisons", kinds["equal"] > 29000, kinds)
    broken = [pair for pair in pairs if pair[0] in ("servfail.example", "syntax.example", "loop.example", "bad-include.example")]
    kinds = compare(t, broken, server, reference, same_text)
    t.check("temperror was among them", kinds["temperror"] > 0, kinds)
    before = target.stat()
    again = emit(t, config, "--format=rbldnsd-exact", "-o", target, code=1)
    t.check("a file that would not change is left alone",
            "1 unchanged" in again.stdout and target.stat().st_ino == before.st_ino, again.stdout)
    elsewhere = emit(t, config, "--format=rbldnsd-exact", code=1)
    t.equal("equal policies give equal octets", elsewhere.stdout.encode(), text)


def test_compat(t):
    box = Internet(t, customers=120)
    config, server, policies = start_served(t, box)
    target = t.directory / "running-config"
    told = emit(t, config, "--format=rbldnsd-compat", "-o", target)
    text = target.read_text()
    t.check("most domains are in the old structure", text.count("$DATASET ip4set:") > 100, told.stdout)
    t.check("the others are there as well", text.count("$DATASET ip4set:") + text.count("$DATASET ip4trie:") == 120, told.stdout)
    t.equal("the /1 defaults stand in each", text.count("\n0.0.0.0/1 # all other IPv4 addresses\n"), text.count("$DATASET ip4set:"))
    reference = start_reference(t, [target], t.directory)
    pairs = [pair for pair in borders(policies) if pair[1] not in MAPPED]
    compare(t, sample(t, pairs, 20000), server, reference, same_meaning)

    refused = t.run([t.binary("mailzone"), "spf", "emit", config, "--format=rbldnsd-compat", "--fallback=refuse"])
    t.equal("--fallback=refuse leaves them out", refused.stdout.count("$DATASET ip4set:"), text.count("$DATASET ip4set:"))
    t.equal("and says so", (refused.returncode, "left out: " in refused.stderr), (1, True) if "ip4trie" in text else (0, False))

    directory = t.new_directory()
    emit(t, config, "--format=rbldnsd-compat", "--per-domain", "-o", directory)
    names = sorted(path.name for path in directory.iterdir())
    t.equal("one file per domain, named as expurgate does", names, sorted(d.replace(".", "-") for d in box.domains))
    per_domain = start_reference(t, names, directory)
    compare(t, sample(t, pairs, 3000), server, per_domain, same_meaning)
    (directory / "not-ours").write_text("# somebody else's\n")
    box.write_config(t.directory, domains=box.domains[1:])
    told = emit(t, config, "--format=rbldnsd-compat", "--per-domain", "-o", directory)
    gone = box.domains[0].replace(".", "-")
    t.check("the file of a domain that left is removed, a foreign one stays",
            not (directory / gone).exists() and (directory / "not-ours").exists() and "1 removed" in told.stdout, told.stdout)


def test_bind(t):
    box = Internet(t, customers=40)
    config, server, policies = start_served(t, box)
    directory = t.new_directory()
    zone_file = directory / "db"
    emit(t, config, "--format=bind", "-o", zone_file)
    first = zone_file.read_text()
    emit(t, config, "--format=bind", "-o", zone_file)
    t.equal("the serial stays while nothing changes", zone_file.read_text(), first)
    port = harness.free_port()
    (directory / "nsd.conf").write_text(f"""server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{ZONE}"
  zonefile: "{zone_file}"
""")
    nsd = t.start([find_program("nsd"), "-d", "-c", directory / "nsd.conf"], directory=directory)
    t.wait_ready(nsd, t.client(port))
    pairs = borders(policies)
    kinds = compare(t, sample(t, pairs, 20000), server, port, same_meaning)
    t.check("all are plain comparisons", kinds["equal"] == min(len(pairs), 20000), kinds)


def test_exists_form(t):
    """A is what counts: the file lists what passes and nothing else."""
    box = Internet(t, customers=30)
    config, server, policies = start_served(t, box, zone_keys='form = "exists"')
    target = t.directory / "running-config"
    emit(t, config, "-o", target, code=1)       # terms that depend on the message are lost: said
    reference = start_reference(t, [target], t.directory)
    pairs = [p for p in sample(t, borders(policies), 6000) if p[1] not in SIX_TO_FOUR and p[1] not in MAPPED]
    names = [query_name(address, domain) for domain, address in pairs]
    mine, other = ask_all(server, names, "A"), ask_all(reference, names, "A")
    differ = [(n, m, o) for n, m, o in zip(names, mine, other) if m[1] != o[1]]
    t.check(f"{len(pairs)} A answers agree", not differ, differ[:5])
    t.check("some pass, some do not", any(m[1] for m in mine) and not all(m[1] for m in mine))
    refused = t.run([t.binary("mailzone"), "spf", "emit", config, "--format=rbldnsd-compat", "--fallback=refuse"])
    t.equal("the old structure would pass everybody: refused", refused.returncode, 2)


LONG = " ".join(f"exists:%{{l}}.{'x' * 50}{i}.long.test" for i in range(5))
HOSTILE = {
    "raw.hostile.example": "v=spf1 ip6::2:+all ip6:!2001:db8::/33 -all",
    "dollar.hostile.example": "v=spf1 exists:$IP$.%{i}.$1.test ip4:198.19.128.77 ~all",
    "long.hostile.example": f"v=spf1 ip4:198.19.128.78 {LONG} -all",
    "helper.hostile.example": "v=spf1 ip4:198.19.128.79 include:inner.hostile.example ?exists:%{l}.c.test -all",
    "inner.hostile.example": "v=spf1 -exists:%{l}.a.test exists:%{s}.b.test ~all",
    "everybody.hostile.example": "v=spf1 +all",
    "wide.hostile.example": "v=spf1 ip4:10.0.0.0/8 ip4:128.0.0.0/2 ip6:2000::/3 ~all",
    "exp.hostile.example": "v=spf1 ip4:198.19.128.80 -all exp=why.hostile.example",
}


def test_hostile_records(t):
    """Nothing that a record says becomes a line of its own; what cannot be said is permerror, never pass."""
    records = "".join(f'{name}. 300 TXT {" ".join(chr(34) + text[i:i + 255] + chr(34) for i in range(0, len(text), 255))}\n'
                      for name, text in HOSTILE.items())
    records += 'why.hostile.example. 300 TXT "because"\n'
    box = Internet(t, customers=1, records=records)
    box.domains = [name for name in HOSTILE if name != "inner.hostile.example"]
    path = box.write_config(t.directory)
    path.write_text(path.read_text().replace('source_prefix = "_xpg8"\n', ""))
    result = t.run([t.binary("mailzone"), "build", path])
    t.require("the image is built", result.returncode == 0, result.stdout + result.stderr)
    _, server = t.start_mailzoned(t.directory / "spf.mzi")
    for form in ("rbldnsd-exact", "rbldnsd-compat"):
        target = t.directory / form
        told = emit(t, path, f"--format={form}", "-o", target, code=1)
        lines = target.read_text().splitlines()
        plain = [line for line in lines if line and not line.startswith(("#", "$", ":"))]
        t.check(f"{form}: other lines are prefixes",
                all(ipaddress.ip_network(line.split(" ")[0], strict=False) for line in plain), plain)
        t.check(f"{form}: the long one is named", "long.hostile.example" in told.stderr and "254" in told.stderr, told.stderr)
        t.check(f"{form}: the helper is named", "helper.hostile.example" in told.stderr, told.stderr)
        reference = start_reference(t, [target], t.directory)
        ask = lambda domain, ip, port: ask_all(port, [query_name(ipaddress.ip_address(ip), domain)])[0]
        for domain, ip in (("raw", "203.0.113.9"), ("raw", "2001:db8::1"), ("dollar", "203.0.113.9"), ("dollar", "198.19.128.77"),
                           ("dollar", "2001:db8::1"), ("long", "198.19.128.78"), ("helper", "198.19.128.79"),
                           ("everybody", "203.0.113.9"), ("everybody", "2001:db8::1"), ("wide", "10.1.2.3"),
                           ("wide", "11.0.0.0"), ("wide", "128.0.0.0"), ("wide", "191.255.255.255"), ("wide", "192.0.0.0"),
                           ("wide", "2001:db8::1"), ("wide", "4000::"), ("exp", "198.19.128.80")):
            name, address = f"{domain}.hostile.example", ipaddress.ip_address(ip)
            mine, other = ask(name, ip, server.port), ask(name, ip, reference)
            t.check(f"{form}: {name} for {ip}", same_meaning(address, mine, other), (mine, other))
        for domain, ip in (("long", "203.0.113.9"), ("helper", "203.0.113.9")):
            t.equal(f"{form}: {domain} is permerror where it cannot be said",
                    ask(f"{domain}.hostile.example", ip, reference), ("NOERROR", ['"v=spf1 exists:%{x}"']))
        # docs/EXPURGATE.md: rbldnsd looks a client in 2002::/16 up as IPv4 as well.
        six_to_four = "2002:c000:201::1"
        t.equal(f"{form}: two records for 6to4 where the families differ", len(ask("wide.hostile.example", six_to_four, reference)[1]), 2)
        t.equal(f"{form}: one where they agree", len(ask("exp.hostile.example", six_to_four, reference)[1]), 1)
        t.equal(f"{form}: exp= is left out", ask("exp.hostile.example", "203.0.113.9", reference), ("NOERROR", ['"v=spf1 -all"']))


def test_usage(t):
    box = Internet(t, customers=2)
    config = box.write_config(t.directory)
    run = lambda *words: t.run([t.binary("mailzone"), "spf", "emit", *words])
    for words in ([], [config, "--format=rbldns"], [config, "--per-domain"], [config, "--format=json", "--per-domain", "-o", "x"],
                  [config, "--fallback=exact"], [config, "--zone=other.example"], ["--from-env", config]):
        t.equal(f"spf emit {' '.join(map(str, words))}: exit 2", run(*words).returncode, 2)
    help_text = run("--help")
    t.check("--help", help_text.returncode == 0 and "--per-domain" in help_text.stdout)
    box.write_config(t.directory, zone_keys='layout = "%{i}._ip.%{d}"')
    told = run(config)
    t.check("another layout is refused with the reason", told.returncode == 2 and "layout" in told.stderr, told.stderr)
    stamped = box.write_config(t.directory)
    t.check("--timestamps puts times into headers", " @ 20" in run(stamped, "--format=rbldnsd-compat", "--timestamps").stdout)
    unwritable = run(stamped, "-o", t.directory / "no" / "such" / "file")
    t.equal("a directory that is not there: exit 3", unwritable.returncode, 3)
