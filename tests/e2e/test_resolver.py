"""unbound in front, with strict QNAME minimisation: a resolver that asks label by label must reach every listing."""
import harness
import unbound
import zones
from dnswire import Query

def start_unbound(t, server_port, names, strict="yes"):
    return unbound.start(t, {name: server_port for name in names}, "qname-minimisation: yes",
                         f"qname-minimisation-strict: {strict}", "aggressive-nsec: no",
                         'target-fetch-policy: "0 0 0 0 0"')[1]


DEEP = ".".join(reversed(f"{(0x20010db8 << 96) + 1:032x}")) + ".bl.test"


@harness.backends
def test_strict_minimisation(t):
    zones.write_lists(t.directory)
    _, server = t.start_rbldnsd(zones.SPECS)
    resolver = start_unbound(t, server.port, ["bl.test", "dn.test"])
    cases = [("2.0.0.127.bl.test", "TXT", '"listed 127.0.0.2"'), ("9.0.0.10.bl.test", "A", "127.0.0.3"),
             (DEEP, "TXT", '"six 2001:db8::1"'), ("deep.er.name.bl.test", "A", "192.0.2.9"),
             ("plain.example.dn.test", "A", "127.0.0.4"), ("x.y.both.example.dn.test", "TXT", '"name both.example"'),
             ("a.b.below.example.dn.test", "A", "127.0.0.4"), ("bl.test", "TXT", '"apex text"')]
    for name, kind, text in cases:
        reply = resolver.ask(Query(name, kind, flags=("rd",)), timeout=5, tries=2)
        t.equal(f"{name} {kind} through unbound", reply and [record.text for record in reply.answer], [text])
    reply = resolver.ask(Query("big.bl.test", "TXT", flags=("rd",), edns=4096), timeout=5, tries=2)
    if "tc" in reply.flags:
        reply = resolver.ask_tcp(Query("big.bl.test", "TXT", flags=("rd",)))
    t.equal("30 records arrive through TCP fallback", len(reply.answer), 30)
    for name in ("7.0.0.10.bl.test", "nothing.dn.test"):
        reply = resolver.ask(Query(name, "A", flags=("rd",)), timeout=5, tries=2)
        t.equal(f"{name} is NXDOMAIN through unbound", reply and reply.rcode, "NXDOMAIN")


@harness.backends
def test_without_nodata(t):
    """--ent=nxdomain gives what rbldnsd gives: a strictly minimising resolver then misses the listing."""
    zones.write_lists(t.directory)
    _, server = t.start_rbldnsd(zones.SPECS, ["--ent=nxdomain"])
    resolver = start_unbound(t, server.port, ["bl.test", "dn.test"])
    reply = resolver.ask(Query("2.0.0.127.bl.test", "TXT", flags=("rd",)), timeout=5, tries=2)
    t.equal("the listing is lost, as with rbldnsd", reply and (reply.rcode, reply.answer), ("NXDOMAIN", []))
