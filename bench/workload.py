#!/usr/bin/env python3
"""Seeded workloads for the benchmarks.

  workload.py domains N OUT.zone OUT.queries   N combined subzones in expurgate's form: an ip4set with about 265 prefixes
                                               (4 of 200 shared providers, 5 own addresses) and a default
  workload.py spf N OUT.jsonl OUT.queries      the same N domains as SPF records, with IPv6 prefixes of the providers, as
                                               recorded answers ([resolver] replay); the names in OUT.jsonl.domains
  workload.py list N OUT.zone OUT.queries      one ip4set of N distinct addresses, one a line
  workload.py dnset N OUT.zone OUT.queries     a dnset of N names
  workload.py names N OUT.zone OUT.queries     a generic dataset of N names with a TXT record each

dnset and names also write OUT.zone.bind, the same names and answers as a zone file for other servers (dnset: --bind).
Queries are half hits, half misses, in dnsperf's "NAME TYPE" format; the first query is a hit. `domains` and `spf` of
one N have the same queries. Everything depends on the seed only.
"""
import argparse
import json
import random
import struct

ZONES = {"domains": "_spf.bench.test", "spf": "_spf.bench.test", "list": "bl.bench.test", "dnset": "dn.bench.test",
         "names": "names.bench.test"}
SOA = "$SOA 3600 ns1.bench.test hostmaster.bench.test 0 10800 3600 604800 3600\n"
BIND_HEAD = """$TTL 2100
@ 3600 IN SOA ns1.bench.test. hostmaster.bench.test. 1 10800 3600 604800 3600
@ 3600 IN NS ns1.bench.test.
"""
PROVIDERS_OF_EACH, OWN_OF_EACH = 4, 5


def provider_sets(rng, providers=200, prefixes=65):
    lengths = (32, 24, 22, 20, 19, 28, 29)
    sets = []
    for _ in range(providers):
        entries = set()
        while len(entries) < prefixes:
            length = rng.choice(lengths)
            address = rng.getrandbits(32) & (0xffffffff << (32 - length)) & 0xffffffff
            if 0x01000000 <= address < 0xe0000000:
                entries.add((address, length))
        sets.append(sorted(entries))
    return sets


def dotted(a):
    return "%d.%d.%d.%d" % (a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255)


def reversed_dotted(a):
    return "%d.%d.%d.%d" % (a & 255, a >> 8 & 255, a >> 16 & 255, a >> 24)


def text_of(entry):
    address, length = entry
    return dotted(address) if length == 32 else "%s/%d" % (dotted(address), length)


class Customers:
    """The domains of `domains` and `spf`: (name, providers, own addresses) in order, and queries to a sample of them."""

    def __init__(self, count, seed, queries):
        self.count, self.queries = count, queries
        self.rng = random.Random(seed)
        self.sets = provider_sets(self.rng)
        self.sample = []

    def __iter__(self):
        every = max(1, self.count // self.queries)
        for i in range(self.count):
            one = ("customer%d.example" % i, self.rng.sample(range(len(self.sets)), PROVIDERS_OF_EACH),
                   [self.rng.randrange(0x0b000000, 0xdf000000) for _ in range(OWN_OF_EACH)])
            if i % every == 0:
                self.sample.append(one)
            yield one

    def write_queries(self, path):
        rng = random.Random(self.count)
        with open(path, "w") as out:
            for i in range(self.queries):
                name, mine, own = rng.choice(self.sample)
                if i == 0 or rng.random() < 0.5:
                    address, length = rng.choice(self.sets[rng.choice(mine)])
                    address |= rng.getrandbits(32 - length) if length < 32 else 0
                else:
                    address = rng.randrange(0x01000000, 0xe0000000)
                out.write("%s.%s.%s TXT\n" % (reversed_dotted(address), name, ZONES["domains"]))


def write_domains(a):
    customers = Customers(a.count, a.seed, a.queries)
    rendered = ["".join(text_of(e) + "\n" for e in s) for s in customers.sets]
    with open(a.zone, "w") as out:
        out.write("$NS 3600 ns1.bench.test\n" + SOA)
        for name, mine, own in customers:
            out.write("$DATASET ip4set:%s %s\n:3:v=spf1 ip4:$ -all\n" % (name, name))
            for k in mine:
                out.write(rendered[k])
            out.write("".join(dotted(address) + "\n" for address in own))
            out.write(":99:v=spf1 ~all\n0.0.0.0/1 # all other IPv4 addresses\n128.0.0.0/1 # all other IP IPv4 addresses\n")
    customers.write_queries(a.queries_file)


def write_spf(a):
    customers = Customers(a.count, a.seed, a.queries)

    def txt(name, text):
        strings = [text[i:i + 255] for i in range(0, len(text), 255)]
        return json.dumps({"name": name, "type": "TXT", "kind": "data", "ttl": 300,
                           "rdata": [strings if len(strings) > 1 else text]}, separators=(",", ":")) + "\n"

    networks = random.Random(a.seed).sample(range(65536), 10 * len(customers.sets))
    with open(a.zone, "w") as out, open(a.zone + ".domains", "w") as domains:
        for k, entries in enumerate(customers.sets):
            ip6 = " ".join("ip6:2001:db8:%x::/48" % n for n in networks[10 * k:10 * k + 10])
            out.write(txt("_spf.provider%d.test" % k, "v=spf1 " + " ".join("ip4:" + text_of(e) for e in entries) + " " + ip6 +
                          " ~all"))
        for name, mine, own in customers:
            domains.write(name + "\n")
            out.write(txt(name, "v=spf1 " + " ".join(["include:_spf.provider%d.test" % k for k in mine] +
                                                    ["ip4:" + dotted(address) for address in own]) + " ~all"))
    customers.write_queries(a.queries_file)


def write_list(a):
    rng = random.Random(a.seed)
    # An odd multiplier permutes the 32-bit numbers: distinct addresses in scattered order without a table of them.
    multiplier, offset = 0x9e3779b1, rng.getrandbits(32)
    octets = [str(i) for i in range(256)]
    sample = []
    with open(a.zone, "w") as out:
        out.write(SOA + ":127.0.0.2:Listed, see $\n")
        block = []
        for i in range(a.count):
            w, x, y, z = struct.pack(">I", (i * multiplier + offset) & 0xffffffff)
            block.append(octets[w] + "." + octets[x] + "." + octets[y] + "." + octets[z] + "\n")
            if len(block) == 65536:
                out.write("".join(block))
                block.clear()
            if i % max(1, a.count // a.queries) == 0:
                sample.append((i * multiplier + offset) & 0xffffffff)
        out.write("".join(block))
    with open(a.queries_file, "w") as out:
        for i in range(a.queries):
            address = rng.choice(sample) if i == 0 or rng.random() < 0.5 else rng.getrandbits(32)
            out.write("%s.%s A\n" % (reversed_dotted(address), ZONES["list"]))


def scattered_name(i):
    """A distinct name for each number below 2^32, about 14 octets, in no order."""
    n, text = (i * 0x9e3779b1 + 0x7f4a7c15) & 0xffffffff, ""
    while True:
        n, digit = divmod(n, 31)
        text += "abcdefghijklmnopqrstuvwxyz-0123"[digit]
        if n == 0:
            break
    return "x" + text + "y" + (".com", ".net", ".org", ".example")[i & 3]


def write_dnset(a):
    rng = random.Random(a.seed)
    bind = open(a.zone + ".bind", "w") if a.bind else None
    with open(a.zone, "w") as out:
        out.write("$NS 3600 ns1.bench.test\n" + SOA + ":127.0.0.2:Listed, see bench.test\n")
        if bind:
            bind.write(BIND_HEAD)
        for first in range(0, a.count, 65536):
            names = [scattered_name(i) for i in range(first, min(a.count, first + 65536))]
            out.write("\n".join(names) + "\n")
            if bind:
                bind.write("".join('%s A 127.0.0.2\n%s TXT "Listed, see bench.test"\n' % (n, n) for n in names))
    if bind:
        bind.close()
    with open(a.queries_file, "w") as out:
        for i in range(a.queries):
            listed = i == 0 or rng.random() < 0.5
            out.write("%s.%s A\n" % (scattered_name(rng.randrange(a.count) + (0 if listed else a.count)), ZONES["dnset"]))


def write_names(a):
    rng = random.Random(a.seed)
    with open(a.zone, "w") as out, open(a.zone + ".bind", "w") as bind:
        out.write("$NS 3600 ns1.bench.test\n" + SOA)
        bind.write(BIND_HEAD)
        for i in range(a.count):
            text = "v=spf1 ip4:%s ~all" % dotted(0x0a000000 + i)
            out.write("domain%d TXT %s\n" % (i, text))
            bind.write('domain%d TXT "%s"\n' % (i, text))
    with open(a.queries_file, "w") as out:
        for i in range(a.queries):
            word = "domain" if i == 0 or rng.random() < 0.5 else "absent"
            out.write("%s%d.%s TXT\n" % (word, rng.randrange(a.count), ZONES["names"]))


WRITERS = {"domains": write_domains, "spf": write_spf, "list": write_list, "dnset": write_dnset, "names": write_names}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=WRITERS)
    parser.add_argument("count", type=int)
    parser.add_argument("zone")
    parser.add_argument("queries_file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=200000)
    parser.add_argument("--bind", action="store_true", help="dnset: also the zone file")
    a = parser.parse_args()
    WRITERS[a.kind](a)


if __name__ == "__main__":
    main()
