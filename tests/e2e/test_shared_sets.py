"""Combined zones whose subzones share providers, as expurgate writes them: large enough that the compiler writes their maps
as lists of shared sets (format/image/IMAGE.md), against Debian's rbldnsd.

  tests/e2e/run.py --only shared_sets --seed 7
"""
import ipaddress
import random
import struct

import harness
from differential import Asker, Comparison
from dnswire import Query

ZONE = "sets.test"
SUBZONES = 160
QUERIES = 10000


class World:
    """The data file, and addresses where something begins or ends in it."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.borders = []
        providers = []
        for _ in range(14):
            providers.append([self.prefix(rng.choice((16, 19, 20, 22, 24, 28, 29, 32))) for _ in range(rng.randint(20, 50))])
        # Providers that have a part of another's addresses, or what lies beside them.
        providers.append([self.beside(entry) for entry in providers[0]])
        providers.append(providers[1][:15] + providers[2][:15])
        lines = ["$SOA 3600 ns.sets.test adm.sets.test 0 7200 600 604800 300"]
        self.names = []
        for n in range(SUBZONES):
            kind = rng.choice(("ip4set", "ip4set", "ip4trie"))
            self.names.append(f"customer{n}.example" if n % 3 else f"c{n}")
            lines.append(f"$DATASET {kind}:{n} {self.names[-1]}")
            lines.append(rng.choice((":3:v=spf1 ip4:$ -all", f":4:of {n} $")))
            for k in rng.sample(range(len(providers)), rng.randint(1, 5)):
                value = rng.choice(("", "", "", " :5:other $"))
                lines += [entry + value for entry in providers[k]]
            lines += [self.prefix(32) for _ in range(rng.choice((0, 2, 5, 60)))]
            lines += ["!" + self.prefix(rng.choice((20, 24, 32))) for _ in range(rng.choice((0, 0, 1, 3)))]
            if n % 4 == 0:
                lines += [":99:v=spf1 ~all", "0.0.0.0/1", "128.0.0.0/1"]
            elif n % 4 == 1:
                lines += [":99:v=spf1 ~all", "0.0.0.0/0"] if kind == "ip4trie" else ["64.0.0.0/3"]
        self.text = "\n".join(lines) + "\n"

    def prefix(self, length):
        network = ipaddress.ip_network((self.rng.getrandbits(32) | 1 << 24, length), strict=False)
        self.borders += [int(network[0]), int(network[-1])]
        return str(network)

    def beside(self, entry):
        network = ipaddress.ip_network(entry)
        step = self.rng.choice((-1, 0, 1)) * network.num_addresses
        base = (int(network[0]) + step) & 0xffffffff
        return str(ipaddress.ip_network((base, min(32, network.prefixlen + self.rng.choice((0, 0, 2)))), strict=False))

    def query(self):
        rng = self.rng
        address = (rng.choice(self.borders) + rng.choice((-1, 0, 0, 1))) & 0xffffffff
        if rng.random() < 0.1:
            address = rng.getrandbits(32)
        octets = ipaddress.ip_address(address).packed
        labels = [str(octet) for octet in reversed(octets)]
        if rng.random() < 0.1:
            labels = labels[rng.randint(1, 3):]
        name = ".".join([*labels, rng.choice(self.names), ZONE])
        return Query(name, rng.choice(("A", "TXT", "ANY")))


def has_shared_sets(image):
    with open(image, "rb") as stream:
        return struct.unpack_from("<I", stream.read(72), 68)[0] != 0


@harness.backends
def test_against_rbldnsd(t):
    world = World(t.options.seed)
    spec = f"{ZONE}:combined:sets.zone"
    harness.write_file(t.directory / "sets.zone", world.text)
    t.build(t.directory / "sets.mzi", [spec])
    t.require("the compiler found sets", has_shared_sets(t.directory / "sets.mzi"))

    _, reference_client = t.start_rbldnsd([spec], program=harness.REFERENCE)
    _, our_client = t.start_rbldnsd([spec], extra=[f"--io={t.io}", "--ent=nxdomain"], name="ours")
    reference, ours = Asker(t, reference_client.port), Asker(t, our_client.port)
    comparison = Comparison(reference, ours, our_client.ask_tcp)
    t.callback(reference.close)
    t.callback(ours.close)
    problems = []
    for _ in range(QUERIES):
        problem = comparison.run(world.query())
        if problem:
            problems.append(problem)
            if len(problems) == 3:
                break
    t.check(f"{QUERIES} answers agree", not problems, "\n          ".join(problems))
