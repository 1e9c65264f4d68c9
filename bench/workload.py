#!/usr/bin/env python3
"""Seeded workloads for the benchmarks.

  workload.py domains N OUT.zone OUT.queries   N combined subzones in expurgate's form: an ip4set with about 200 prefixes
                                               (3 of 200 shared providers, 5 own addresses) and a default
  workload.py list N OUT.zone OUT.queries      one ip4set of N distinct addresses, one a line
  workload.py spf N OUT.jsonl OUT.queries      N customers' SPF records (4 of 200 shared providers, 5 own addresses each) as
                                               recorded answers ([resolver] replay), their names in OUT.jsonl.domains

Queries are half hits, half misses, in dnsperf's "NAME TYPE" format. Everything depends on the seed only.
"""
import argparse
import json
import random
import struct

ZONE = "_spf.bench.test"
LIST_ZONE = "bl.bench.test"


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


def write_domains(count, zone_path, query_path, seed, queries):
    rng = random.Random(seed)
    sets = provider_sets(rng)
    rendered = ["".join(text_of(e) + "\n" for e in s) for s in sets]
    chosen = []
    with open(zone_path, "w") as out:
        out.write("$NS 3600 ns1.bench.test\n$SOA 3600 ns1.bench.test hostmaster.bench.test 0 10800 3600 604800 3600\n")
        for i in range(count):
            name = "customer%d.example" % i
            mine = rng.sample(range(len(sets)), 3)
            own = [rng.randrange(0x0b000000, 0xdf000000) for _ in range(5)]
            chosen.append((name, mine, own))
            out.write("$DATASET ip4set:%s %s\n:3:v=spf1 ip4:$ ~all\n" % (name, name))
            for k in mine:
                out.write(rendered[k])
            out.write("".join(dotted(a) + "\n" for a in own))
            out.write(":99:v=spf1 ~all\n0.0.0.0/1 # all other IPv4 addresses\n128.0.0.0/1 # all other IP IPv4 addresses\n")
    with open(query_path, "w") as out:
        for _ in range(queries):
            name, mine, own = chosen[rng.randrange(count)]
            if rng.random() < 0.5:
                address, length = rng.choice(sets[rng.choice(mine)])
                address |= rng.getrandbits(32 - length) if length < 32 else 0
            else:
                address = rng.randrange(0x01000000, 0xe0000000)
            out.write("%s.%s.%s TXT\n" % (reversed_dotted(address), name, ZONE))


def write_list(count, zone_path, query_path, seed, queries):
    rng = random.Random(seed)
    # An odd multiplier permutes the 32-bit numbers: distinct addresses in scattered order without a table of them.
    multiplier, offset = 0x9e3779b1, rng.getrandbits(32)
    octets = [str(i) for i in range(256)]
    sample = []
    with open(zone_path, "w") as out:
        out.write("$SOA 3600 ns1.bench.test hostmaster.bench.test 0 10800 3600 604800 3600\n:127.0.0.2:Listed, see $\n")
        block = []
        for i in range(count):
            a, b, c, d = struct.pack(">I", (i * multiplier + offset) & 0xffffffff)
            block.append(octets[a] + "." + octets[b] + "." + octets[c] + "." + octets[d] + "\n")
            if len(block) == 65536:
                out.write("".join(block))
                block.clear()
            if i % max(1, count // queries) == 0:
                sample.append((i * multiplier + offset) & 0xffffffff)
        out.write("".join(block))
    with open(query_path, "w") as out:
        for _ in range(queries):
            address = rng.choice(sample) if rng.random() < 0.5 else rng.getrandbits(32)
            out.write("%s.%s A\n" % (reversed_dotted(address), LIST_ZONE))


def write_spf(count, recording_path, query_path, seed, queries):
    rng = random.Random(seed)
    sets = provider_sets(rng)

    def txt(name, text):
        strings = [text[i:i + 255] for i in range(0, len(text), 255)]
        return json.dumps({"name": name, "type": "TXT", "kind": "data", "ttl": 300,
                           "rdata": [strings if len(strings) > 1 else text]}, separators=(",", ":")) + "\n"

    networks = rng.sample(range(65536), 10 * len(sets))
    sample_every = max(1, count // queries)
    sample = []
    with open(recording_path, "w") as out, open(recording_path + ".domains", "w") as domains:
        for k, entries in enumerate(sets):
            ip6 = " ".join("ip6:2001:db8:%x::/48" % n for n in networks[10 * k:10 * k + 10])
            out.write(txt("_spf.provider%d.test" % k, "v=spf1 " + " ".join("ip4:" + text_of(e) for e in entries) + " " + ip6 +
                          " ~all"))
        for i in range(count):
            name = "customer%d.example" % i
            mine = rng.sample(range(len(sets)), 4)
            own = [rng.randrange(0x0b000000, 0xdf000000) for _ in range(5)]
            if i % sample_every == 0:
                sample.append((name, mine))
            domains.write(name + "\n")
            out.write(txt(name, "v=spf1 " + " ".join(["include:_spf.provider%d.test" % k for k in mine] +
                                                    ["ip4:" + dotted(a) for a in own]) + " -all"))
    with open(query_path, "w") as out:
        for _ in range(queries):
            name, mine = rng.choice(sample)
            if rng.random() < 0.5:
                address, length = rng.choice(sets[rng.choice(mine)])
                address |= rng.getrandbits(32 - length) if length < 32 else 0
            else:
                address = rng.randrange(0x01000000, 0xe0000000)
            out.write("%s.%s.%s TXT\n" % (reversed_dotted(address), name, ZONE))


WRITERS = {"domains": write_domains, "list": write_list, "spf": write_spf}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=WRITERS)
    parser.add_argument("count", type=int)
    parser.add_argument("zone")
    parser.add_argument("queries_file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=200000)
    a = parser.parse_args()
    WRITERS[a.kind](a.count, a.zone, a.queries_file, a.seed, a.queries)


if __name__ == "__main__":
    main()
