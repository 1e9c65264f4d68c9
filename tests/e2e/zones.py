"""Zone data that several tests serve: small, but with every section that answers differently."""

HEAD = """$SOA 3600 ns1.bl.test hostmaster.bl.test 7 7200 600 604800 300
$NS 7200 ns1.bl.test ns2.out.test
$TTL 600
"""

# Wire tests: listings, exclusions, wildcards, an apex with records, and a name whose records fill several packets.
LISTS = {
    "addresses": HEAD + """:2:listed $
127.0.0.2
10.0.0.0/24 :3:net $
!10.0.0.7
""",
    "addresses6": "2001:db8::/32 :6:six $\n",
    "names": """:4:name $
plain.example
.both.example
*.below.example
!no.below.example
""",
    "records": """@ A 192.0.2.1
@ TXT "apex text"
ns1 A 192.0.2.53
deep.er.name A 192.0.2.9
many MX 10 mx1.out.test
""" + "".join(f'big TXT "{number:02d} {"x" * 150}"\n' for number in range(30)),
}
SPECS = ["bl.test:ip4set:addresses", "bl.test:ip6trie:addresses6", "bl.test:generic:records", "dn.test:dnset:names"]


def write_lists(directory):
    from harness import write_file
    for name, text in LISTS.items():
        write_file(directory / name, text)


def listed(text, count=50, start=0):
    """An ip4set whose every answer carries `text`: tells old data from new data."""
    lines = [f":2:{text} $"]
    lines += [f"10.{(start + i) >> 16 & 255}.{(start + i) >> 8 & 255}.{(start + i) & 255}" for i in range(count)]
    return HEAD + "\n".join(lines) + "\n"
