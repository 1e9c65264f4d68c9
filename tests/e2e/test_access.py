"""Clients and time: acl rules for IPv4 clients on IPv6 sockets, and data that expire while they are served."""
import os
import time

import harness
import zones
from dnswire import Query

LISTED = "2.0.0.127.bl.test"


@harness.backends
def test_mapped_clients(t):
    """An IPv4 client on a `::` socket is an IPv4 client to the acl (rbldnsd matches it against IPv6 entries only)."""
    zones.write_lists(t.directory)
    harness.write_file(t.directory / "acl", "127.0.0.9 :refuse\n127.0.0.8 :4:you are $\n")
    port = harness.free_port()
    process = t.start([t.binary("rbldnsd"), "-n", "-w", t.directory, "-b", f"::/{port}", f"--io={t.io}",
                       *(["-u", "rbldns"] if os.geteuid() == 0 else []), "bl.test:acl:acl", *zones.SPECS])
    plain = t.client(port)
    t.wait_ready(process, plain)
    t.equal("other clients are served", plain.ask(LISTED).rcode, "NOERROR")
    t.equal("the refused IPv4 client is refused", t.client(port, source="127.0.0.9").ask(LISTED).rcode, "REFUSED")
    reply = t.client(port, source="127.0.0.8").ask(Query("9.9.9.9.bl.test", "TXT"))
    t.equal("the client's address in the text is IPv4", [r.text for r in reply.answer], ['"you are 127.0.0.8"'])
    t.equal("over TCP as well", t.client(port, source="127.0.0.9").ask_tcp(LISTED).rcode, "REFUSED")


@harness.backends
def test_expiry(t):
    """$TIMESTAMP: SERVFAIL from the second after the expiry on, without a check; new data bring the zone back."""
    now = int(time.time())

    def write(expires, mtime):
        stamps = [time.strftime("%Y:%m:%d:%H:%M:%S", time.gmtime(moment)) for moment in (now - 100, expires)]
        harness.write_file(t.directory / "list", f"$TIMESTAMP {stamps[0]} {stamps[1]}\n" + zones.listed("x", 10), mtime)

    write(now + 6, now - 50)
    zones.write_lists(t.directory)
    process, client = t.start_rbldnsd(["x.test:ip4set:list", "bl.test:ip4set:addresses"], ["-c", "0"])
    t.equal("served before", client.ask("1.0.0.10.x.test").rcode, "NOERROR")
    expired = harness.wait_until(lambda: client.ask("1.0.0.10.x.test").rcode == "SERVFAIL", 15, 0.1)
    t.check("SERVFAIL after", expired and time.time() >= now + 6, f"{time.time() - now:.1f} s")
    t.equal("the other zone is served", client.ask(LISTED).rcode, "NOERROR")
    write(now + 1000, now - 40)
    process.signal(1)
    t.check("new data bring it back", harness.wait_until(lambda: client.ask("1.0.0.10.x.test").rcode == "NOERROR", 5))
