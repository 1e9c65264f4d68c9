"""Random zone files of every dataset type, with what is worth asking about them.

  setup = Generator(seed).setup()
  setup.options, setup.specs      rbldnsd command line
  setup.write(directory)          the data files
  setup.query(rng)                a random query near the data

Values come from small universes, so that entries overlap, repeat, exclude and contain each other. About one line in
fifteen is odd: wrong in a way that rbldnsd warns about or reads in its own manner. The same seed gives the same set-up.
"""
import gzip
import ipaddress
import random

import dnswire
import harness

SETS4 = ("ip4set", "ip4tset", "ip4trie")
SETS6 = ("ip6tset", "ip6trie")
PLAIN = SETS4 + SETS6 + ("dnset", "generic")
TEXTS = (
    "listed", "see http://example.net/?$", "$", "$ and $", "$$5 for $1", "$1$2", "$=", "=plain $", "=", "a:b:c",
    "x # no comment", "tail ;", '"quoted"', "back\\slash", "\xe4\xf6", "$1 " * 40, "long " * 60, "y" * 255, "z" * 300,
    "$12 $x $", "v=spf1 ip4:$ ~all",
)
LABELS = ("a", "b", "www", "mail", "x-1", "Com", "net", "ORG", "127", "0", "*", "a\\.b", "\\255q", "l" * 63)
ODD_LINES = (
    "", "   ", "# comment", "; comment", "  # indented", "// slashes", "!", ":", "::", ":x", ":5", ":5:", ":0:zero",
    ":1.2.3.4.5:x", ":300:x", "!!1.2.3.4", "1.2.3.4\r", "1.2.3.4 \x00 cut", "!1.2.3.4 ignored value", "-", "/", "/24",
    "1.2.3.4-", "999.1.1.1", "1..2.3", "$UNKNOWN x", "$", "$TTL", "$TTL 1h30m", "$NS 1h", "$SOA 1 2", "$DATASET ip4set @",
    "$MAXRANGE4 0", "$TIMESTAMP 2019-02-29", ":$TTL 77", "#$TTL 88", ";$NS 90 ns.special.test", "text",
)
QUERY_TYPES = ("A",) * 8 + ("TXT",) * 8 + ("ANY",) * 3 + (
    "NS", "NS", "SOA", "SOA", "MX", "AAAA", "PTR", "CNAME", "HTTPS", "SPF", "OPT", "TSIG", "IXFR", "AXFR", "CAA",
    "TYPE0", "TYPE249", "TYPE65280")
EDNS_SIZES = (0, 100, 511, 512, 513, 522, 523, 600, 1000, 1232, 1400, 2037, 2040, 2048, 4096, 65535)


def reverse4(address):
    return ".".join(reversed(str(ipaddress.IPv4Address(address & 0xffffffff)).split(".")))


def reverse6(address):
    digits = f"{address & (1 << 128) - 1:032x}"
    return ".".join(reversed(digits))


class Setup:
    """One command line with its files, and the neighbourhood of its data for queries."""

    def __init__(self):
        self.options, self.specs = [], []
        self.files = {}                 # name -> text or bytes
        self.apexes = []                # zone names
        self.names = []                 # (zone, owner relative to it) that were written
        self.points4, self.points6 = [], []
        self.clients = ["127.0.0.1"]
        self.has_acl = False
        self.kinds = set()

    def write(self, directory):
        for name, text in self.files.items():
            harness.write_file(directory / name, text)

    # ---- queries

    def owner(self, rng):
        """A name left of a zone: an address, a listed name, or something near them."""
        kind = rng.random()
        if kind < 0.45 and self.points4:
            owner = reverse4(rng.choice(self.points4) + rng.choice((0, 0, 0, 0, -1, 1, 256, -256, rng.getrandbits(8))))
            if rng.random() < 0.06:         # the IPv6 spellings of an IPv4 address
                value = int(ipaddress.IPv4Address(".".join(reversed(owner.split(".")))))
                owner = reverse6(0xffff << 32 | value if rng.random() < 0.5
                                 else 0x2002 << 112 | value << 80 | rng.getrandbits(16))
        elif kind < 0.6 and self.points6:
            owner = reverse6(rng.choice(self.points6) + rng.choice((0, 0, 0, -1, 1, 1 << 64, rng.getrandbits(40))))
        elif kind < 0.9 and self.names:
            owner = rng.choice(self.names)
        else:
            owner = rng.choice(("", "", "x", "1", "2.0.0.127", "004.03.2.1", "0004.3.2.1", "1.2.3.256", "*", "*.a",
                                "5.4.3.2.1", "a.b.c.d", "ffff", "\\000", "A" * 63))
        step = rng.random()
        labels = owner.split(".") if owner else []
        if step < 0.10 and len(labels) > 1:                 # an ancestor
            owner = ".".join(labels[rng.randrange(1, len(labels)):])
        elif step < 0.14:                                   # a child
            owner = ".".join([rng.choice(("x", "1", "*", "127")), *labels])
        elif step < 0.16 and len(labels) > 1:
            labels[rng.randrange(len(labels))] = rng.choice(("0", "1", "a", "256"))
            owner = ".".join(labels)
        return owner

    def query(self, rng):
        zone = rng.choice(self.apexes)
        if rng.random() < 0.03:
            zone = rng.choice(("test", "example.com", "", "x" + zone, "version.bind", zone.partition(".")[2]))
        owner = self.owner(rng)
        name = ".".join(part for part in (owner, zone) if part) or "."
        if len(dnswire.encode_name(name)) > 255:
            name = zone or "."
        if rng.random() < 0.3:
            name = "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in name)
        query = dnswire.Query(name, rng.choice(QUERY_TYPES), source=rng.choice(self.clients))
        if rng.random() < 0.04:
            query.klass = rng.choice(("ANY", "ANY", "CH", "HS", "CLASS5"))
        if rng.random() < 0.01:
            query.name, query.type, query.klass = rng.choice(("version.bind", "VERSION.server")), "TXT", "CH"
        if rng.random() < 0.2:
            query.flags = tuple(flag for flag in ("rd", "ad", "cd", "ra", "z", "aa", "tc")
                                if rng.random() < (0.1 if flag in ("aa", "tc") else 0.4))
        if rng.random() < 0.01:
            query.opcode = rng.randrange(1, 16)
        if rng.random() < 0.35:
            query.edns = rng.choice(EDNS_SIZES)
            query.edns_flags = rng.choice((0, 0, 0x8000))
            if rng.random() < 0.1:
                query.edns_options = bytes.fromhex(rng.choice(("00030000", "000c0003000000", "fde900021234")))
            if rng.random() < 0.03:
                query.edns_version = rng.randrange(1, 256)
        return query


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.bases4 = [self.rng.choice((127 << 24, 10 << 24, 1 << 24, 192 << 24 | 168 << 16, 0, 255 << 24 | 255 << 16,
                                        self.rng.getrandbits(16) << 16)) for _ in range(3)]
        self.bases6 = [self.rng.choice((0x20010db8 << 96, 0x2002 << 112, 0, 0xffff << 32, self.rng.getrandbits(32) << 96))
                       for _ in range(2)]

    # ---- addresses

    def address4(self):
        rng = self.rng
        return (rng.choice(self.bases4) + (rng.choice((0, 0, 1, 2, 127, 128, 255)) << 8)
                + rng.choice((0, 1, 2, 3, 4, 7, 8, 127, 128, 254, 255, rng.getrandbits(8)))) & 0xffffffff

    def address6(self):
        rng = self.rng
        high = rng.choice(self.bases6) | rng.choice((0, 0, 1, 2, 0xffff)) << 80 | rng.choice((0, 1, 2, 0xff00)) << 64
        return high | rng.choice((0, 1, 2, 3, 0xffff, rng.getrandbits(8), rng.getrandbits(64)))

    def octets(self, address, count):
        parts = str(ipaddress.IPv4Address(address & 0xffffffff)).split(".")[:count]
        if self.rng.random() < 0.03:
            parts = [part.zfill(3) for part in parts]
        return ".".join(parts)

    def key4(self, setup, kind):
        """One IPv4 key in one of the forms of the dialect, and its first and last address noted for queries."""
        rng = self.rng
        address = self.address4()
        form = rng.random()
        if kind == "ip4tset" and form < 0.9:
            first = last = address
            text = self.octets(address, 4)
        elif form < 0.45:
            count = rng.choice((4, 4, 4, 4, 3, 2, 1))
            first = address >> 8 * (4 - count) << 8 * (4 - count)
            last = first | (1 << 8 * (4 - count)) - 1
            text = self.octets(address, count)
        elif form < 0.75 or kind != "ip4set":
            bits = rng.choice((32, 31, 30, 29, 28, 27, 25, 24, 24, 23, 22, 17, 16, 15, 9, 8, 7, 1, 0, 33))
            size = 1 << max(0, 32 - bits)
            first = address if rng.random() < 0.1 else address // size * size
            last = first | size - 1
            text = f"{self.octets(first, rng.choice((4, 4, 4, 3, 2, 1)))}/{bits}"
        elif form < 0.9:
            count = rng.choice((4, 4, 3, 2, 1))
            unit = 1 << 8 * (4 - count)
            first = address // unit * unit
            last = min(0xffffffff, first + unit * rng.choice((1, 1, 2, 3, 7, 256)) - 1)
            text = f"{self.octets(first, count)}-{self.octets(last, count)}"
        else:
            count = rng.choice((4, 3, 2))
            unit = 1 << 8 * (4 - count)
            octet = address // unit & 255
            end = min(255, octet + rng.randrange(0, 9)) if rng.random() < 0.9 else rng.randrange(0, 300)
            first = address // unit * unit
            last = first + (max(end, octet) - octet + 1) * unit - 1
            text = f"{self.octets(first, count)}-{end}"
        setup.points4 += [first, last, first + (last - first) // 2]
        return text

    def key6(self, setup, kind):
        rng = self.rng
        address = self.address6()
        setup.points6 += [address]
        groups = [f"{address >> 16 * (7 - i) & 0xffff:x}" for i in range(8)]
        if rng.random() < 0.2:
            groups = [group.upper().zfill(4) for group in groups]
        if kind == "ip6tset":
            if rng.random() < 0.7:
                return ":".join(groups[:4])
            return "!" + (":".join(groups) if rng.random() < 0.5 else str(ipaddress.IPv6Address(address)))
        form = rng.random()
        if form < 0.3:
            return ":".join(groups[:rng.choice((2, 3, 4, 5, 7, 8, 8))])
        if form < 0.5:
            return str(ipaddress.IPv6Address(address))
        bits = rng.choice((128, 127, 125, 96, 65, 64, 63, 56, 49, 48, 33, 32, 20, 16, 1, 0, 129))
        size = 1 << max(0, 128 - bits)
        first = address if rng.random() < 0.1 else address // size * size
        setup.points6 += [first, first | size - 1]
        return f"{ipaddress.IPv6Address(first)}/{bits}"

    def name(self, setup, most=4):
        labels = [self.rng.choice(LABELS) for _ in range(self.rng.randrange(1, most + 1))]
        name = ".".join(labels)
        setup.names.append(name)
        return name

    # ---- entries

    def value(self):
        rng = self.rng
        form = rng.random()
        if form < 0.3:
            return ""
        text = rng.choice(TEXTS)
        if form < 0.6:
            return " " + text
        address = rng.choice(("2", "3", "4", "5", "10", "1.2", "1.2.3", "127.0.0.9", "255.255.255.255", "0", "256", "5 "))
        if form < 0.7:
            return f" :{address}"
        if form < 0.75:
            return f" :{address}:"
        if form < 0.95:
            return f" :{address}:{text}"
        return rng.choice((" # comment", " ; comment", "\t:7:tab", "#glued", ":8:glued", " :5 x", " ::x"))

    def default_line(self):
        return self.rng.choice((":2", ":3:", ":127.0.0.4:default $", ":5:$1 default", "::bad", ":9:v=spf1 ip4:$ -all"))

    def entry(self, setup, kind):
        rng = self.rng
        if rng.random() < 0.05:
            return rng.choice(ODD_LINES)
        if kind == "generic":
            return self.generic_entry(setup)
        if rng.random() < 0.06:
            return self.default_line()
        if kind in SETS4:
            key = self.key4(setup, kind)
        elif kind in SETS6:
            key = self.key6(setup, kind)
        else:
            key = rng.choice(("", "", "", ".", "*.")) + self.name(setup)
            if rng.random() < 0.02:
                key += rng.choice((".", "..", "..x", "." + "q" * 64))
                setup.names.append(key.replace("..", ".").strip("."))
        if kind not in ("ip6tset",) and rng.random() < 0.12:
            key = rng.choice(("!", "! ")) + key
        return key + self.value()

    def generic_entry(self, setup):
        rng = self.rng
        owner = "@" if rng.random() < 0.15 else self.name(setup, 3)
        ttl = rng.choice(("", "", "", "60 ", "2h ", "0 ", "10w "))
        klass = rng.choice(("", "", "IN ", "in "))
        kind = rng.random()
        if kind < 0.4:
            data = "A " + rng.choice(("1.2.3.4", "5", "1.2", "0.0.0.0", "10.0.0.1 tail", "1.2.3.4.5", ""))
        elif kind < 0.75:
            data = "TXT " + rng.choice(('"text"', "bare words", '"a" "b"', '""', "$ is literal", "x" * 200, "w" * 255))
        elif kind < 0.95:
            data = "MX " + rng.choice(("10 mx.example.net", "20 mx.example.net.", "0 .", "65535 Mail.Example.NET"))
        elif kind < 0.998:
            data = rng.choice(("AAAA ::1", "NS ns.x", "A", "TXT", "CNAME x", "MX x y"))
        else:
            return f"{owner} " + rng.choice(("12x A 1.2.3.4", "MX 10 a.b ; comment", "MX 10", "MX 10 a..b"))    # fatal
        return f"{owner} {ttl}{klass}{data}"

    def specials(self, local=False):
        """Lines for the top of a file; `local` leaves out what sections of combined share."""
        rng, lines = self.rng, []
        if not local and rng.random() < 0.004:      # a load that fails
            lines.append(rng.choice(("$TIMESTAMP 2037-01-01", "$DATASET nosuchtype @", "1.2.3.4 data before $DATASET")))
        if not local and rng.random() < 0.6:
            serial = rng.choice((0, 0, 1, 1700000001, 4294967295))
            lines.append(f"$SOA {rng.choice(('0', '1h', '300', '2d'))} ns.soa.test Adm.soa.test {serial} 2h 10m 1w "
                         f"{rng.choice(('0', '5m', '1d'))}")
        if not local and rng.random() < 0.6:
            names = rng.sample(("ns1.out.test", "ns2.Out.test", "-ns3.out.test", "ns4.out.test.", "a.very.long.name.test"),
                               rng.randrange(1, 4))
            lines.append(f"$NS {rng.choice(('0', '1h', '600'))} {' '.join(names)}")
        if rng.random() < 0.3:
            lines.append(f"$TTL {rng.choice(('0', '60', '1h', '7d', '4294967295'))}")
        for digit in rng.sample(range(10), rng.choice((0, 0, 1, 2))):
            lines.append(f"${digit} {rng.choice(('one', 'see $', 'x' * 150, 'a # b'))}")
        if rng.random() < 0.12:
            lines.append(f"$= {rng.choice(('base $ [$=]', '$=', 'http://x/?$', '$1'))}")
        if rng.random() < 0.1:
            lines.append(f"$MAXRANGE4 {rng.choice(('/24', '256', '/16', '1', '/0', '/33'))}")
        if not local and rng.random() < 0.05:
            lines.append(f"$TIMESTAMP {rng.choice(('2020-01-01', '2020:01:01 +50w', '0', '20200101000000 0'))}")
        rng.shuffle(lines)
        return lines

    def file(self, setup, kind, entries=None):
        rng = self.rng
        lines = self.specials()
        for _ in range(entries if entries is not None else rng.choice((3, 10, 25, 60))):
            lines.append(self.entry(setup, kind))
            if rng.random() < 0.02:
                lines.append(rng.choice(self.specials() or ["#"]))
            if rng.random() < 0.05:
                lines.append(rng.choice(lines))
        if rng.random() < 0.3 and kind not in ("ip4tset", "ip6tset"):
            lines += self.crowd(setup, kind)
        return lines

    def crowd(self, setup, kind):
        """Many records for one name: replies that do not fit everywhere."""
        rng = self.rng
        count, width = rng.choice((3, 8, 20, 40)), rng.choice((5, 60, 200))
        if kind == "generic":
            owner = rng.choice(("@", self.name(setup, 2)))
            return [f'{owner} TXT "{number} {"v" * width}"' for number in range(count)]
        key = self.name(setup) if kind == "dnset" else self.key4(setup, kind) if kind in SETS4 else self.key6(setup, kind)
        return [f"{key} :{number + 1}:{number} {'v' * width}" for number in range(count)]

    def combined(self, setup, zone):
        rng = self.rng
        lines = self.specials()
        for number in range(rng.randrange(1, 6)):
            kind = rng.choice(PLAIN)
            subzones = rng.sample(("@", "a", "b", "one.b", "x.one.b", "127", "Com", "deep.er.name"), rng.choice((1, 1, 2)))
            label = rng.choice(("", "", f":part{number}"))
            comment = rng.choice(("", "", " # comment", " ; comment"))
            lines.append(f"$DATASET {kind}{label} {' '.join(subzones)}{comment}")
            known = len(setup.names)
            lines += self.specials(local=True)
            lines += [self.entry(setup, kind) for _ in range(rng.choice((2, 8, 20)))]
            setup.apexes += [f"{subzone}.{zone}" for subzone in subzones if subzone != "@"]
            setup.names += [f"{name}.{subzone}" for name in setup.names[known:known + 3]
                            for subzone in subzones if subzone != "@"]
        return lines

    def acl(self, setup, global_acl):
        rng = self.rng
        setup.has_acl = True
        setup.clients = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.1.1", "127.1.0.1", "127.200.3.4"]
        lines = []
        if rng.random() < 0.3:
            lines.append(rng.choice((":2:acl default $", ":refuse", "=empty", ":pass", "$TTL 77", "$1 var")))
        keyword_default = any(line[1:].isalpha() for line in lines if line[0] in ":=")
        actions = [" :refuse", " =REFUSE", " :empty", " :pass", ":pass", ":refuse", " =bogus", ""]
        if not keyword_default:        # rbldnsd crashes on a value behind a keyword default
            actions += [" :3:client $", " you are $", " :4", " :$1"]
        if rng.random() < 0.15:
            actions += [" :ignore", " =blackhole"]
        for _ in range(rng.randrange(1, 7)):
            key = rng.choice(("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0", "127.0.1/24", "127.0/16", "127/8", "0/0",
                              "127.0.0.0/30", "::1", "2001:db8::/32", "127.1.0.1", "127.0.0.1-2", "bad"))
            action = rng.choice(actions)
            if action == "" and not keyword_default:
                action = " :pass"       # a bare entry ignores the client: costs the tests a timeout per query
            lines.append(key + action)
        return lines

    # ---- the whole command line

    def setup(self):
        rng = self.rng
        setup = Setup()
        if rng.random() < 0.2:
            setup.options.append("-e")
        if rng.random() < 0.2:
            setup.options.append("-a")
        if rng.random() < 0.15:
            setup.options += ["-t", rng.choice(("600", "1h:10m:1d", ":60", "::1d", "30:30:30"))]
        if rng.random() < 0.1:
            setup.options += [rng.choice(("-v", "-vv"))]
        if rng.random() < 0.03:
            setup.options.append("-C")
        zones = rng.sample(("bl.test", "sub.bl.test", "x.sub.bl.test", "other.test", "UPPER.test", "test"), rng.choice((1, 1, 2, 3)))
        for zone in zones:
            setup.apexes.append(zone.lower())
            for _ in range(rng.choice((1, 1, 2, 3))):
                kind = rng.choice(PLAIN + ("combined", "combined"))
                self.add_dataset(setup, zone, kind)
            if rng.random() < 0.15:
                self.add_acl(setup, zone)
        if rng.random() < 0.08:
            self.add_acl(setup, "")
        if rng.random() < 0.1 and len(setup.specs) > 1:      # the same dataset under a second zone
            first = setup.specs[0].partition(":")[2]
            setup.specs.append(f"twin.test:{first}")
            setup.apexes.append("twin.test")
        return setup

    def add_dataset(self, setup, zone, kind):
        rng = self.rng
        setup.kinds.add(kind)
        names = []
        for _ in range(1 if rng.random() < 0.8 else 2):
            name = f"{kind}.{len(setup.files)}"
            lines = self.combined(setup, zone.lower()) if kind == "combined" else self.file(setup, kind)
            text = "\n".join(lines) + rng.choice(("\n", "\n", "\n", "\n\n", ""))
            data = text.encode("latin1")
            setup.files[name] = gzip.compress(data, mtime=0) if rng.random() < 0.08 else data
            names.append(name)
        setup.specs.append(f"{zone}:{kind}:{','.join(names)}")

    def add_acl(self, setup, zone):
        name = f"acl.{len(setup.files)}"
        setup.files[name] = ("\n".join(self.acl(setup, not zone)) + "\n").encode("latin1")
        setup.specs.append(f"{zone}:acl:{name}")
