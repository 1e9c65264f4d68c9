"""Random SPF zone sets for the comparison with other implementations of RFC 7208: same seed, same set.

  zone_set = make(seed, index)        names under s<index>.test, addresses of its own /16s
  zone_set.zone                       {name: [[type, value...]]}, the form of spf_world.World
  zone_set.customers                  names whose source records are compiled
  zone_set.clients()                  (ip, sender, helo) without end

All mechanisms and modifiers, all qualifiers and cidr lengths, macros of every kind that has one meaning everywhere,
shared includes, loops, missing, doubled and broken records, names that fail or never answer. What the oracles are known
to get wrong is left out (spf_oracle.py).
"""
import ipaddress
import random

SYNTAX_ERRORS = (
    "ip4:999", "ip4:10.0.0.0/33", "ip4:10.0.0.01", "ip4:10.0.0.1/", "ip4:10.0.0.1/08", "ip4", "ip4:", "ip4:10.0.0",
    "ip4:10.0.0.1,ip4:10.0.0.2", "ip4:10.0.0.1;", "ip6:", "ip6:2001:db8::g", "ip6:2001:db8::/129", "ip6:10.0.0.1",
    "a:", "a:h/33", "a//129", "a:h.test.123", "a:%{d}.", "a b", "mx:h.test//", "foo:bar", "exists", "exists:",
    "exists:%{z}.test", "exists:%l.test", "exists:%{t}.test", "include", "include:", "include:x.test/24",
    "include:toplabel", "all:x", "all/8", "--all", "-all\tx", "ptr/24", "ptr:", "redirect=",
    "redirect=a.test redirect=b.test", "exp=a.test exp=b.test", "-", "+", "~", "=x", "x\x80y",
)
CIDR4 = ("",) * 6 + ("/32", "/31", "/30", "/29", "/28", "/27") * 2 + ("/24", "/23", "/16", "/9", "/1", "/0")
CIDR6 = ("",) * 6 + ("/128", "/127", "/126", "/125", "/124", "/113") * 2 + ("/112", "/64", "/32", "/1", "/0")
QUALIFIERS = ("", "", "", "", "+", "-", "~", "?")


class ZoneSet:
    def __init__(self, rng, index):
        self.rng, self.index = rng, index
        self.suffix = f"s{index}.test"
        self.zone = {}
        self.points = set()     # addresses at borders of what the records say
        self.prefixed = rng.random() < .15
        self.names = [f"d{i}.{self.suffix}" for i in range(rng.randint(2, 6))]
        self.customers = self.names[:rng.randint(1, min(3, len(self.names)))]
        self.hosts = [f"h{i}.{self.suffix}" for i in range(4)]
        self.base4 = 10 << 24 | (index & 0x3fff) << 10
        self.base6 = 0x20010db8 << 96 | (index & 0xffff) << 80
        self._hosts()
        for name in self.names:
            self._domain(name)
        self._dynamic()
        self._reverse()

    # ---- addresses

    def _point(self, address, length, family):
        bits = 32 if family == 4 else 128
        size = 1 << (bits - length)
        first = address & ~(size - 1)
        for point in (first, first + size - 1, first - 1, first + size):
            if 0 <= point < 1 << bits:
                self.points.add((family, point))

    def ip4(self, cidr=""):
        address = self.base4 + self.rng.choice((0, 256)) + self.rng.randint(0, 15)
        self._point(address, int(cidr[1:] or 32) if cidr else 32, 4)
        return str(ipaddress.IPv4Address(address)) + cidr

    def ip6(self, cidr=""):
        address = self.base6 + self.rng.choice((0, 1 << 16)) + self.rng.randint(0, 15)
        self._point(address, int(cidr[1:]) if cidr else 128, 6)
        text = str(ipaddress.IPv6Address(address))
        if self.rng.random() < .1:
            text = ipaddress.IPv6Address(address).exploded.upper()
        return text + cidr

    # ---- records

    def add(self, name, *records):
        self.zone.setdefault(name, []).extend(map(list, records))

    def _hosts(self):
        rng = self.rng
        for host in self.hosts:
            for _ in range(rng.randint(0, 2)):
                self.add(host, ("A", self.ip4()))
            for _ in range(rng.randint(0, 2)):
                self.add(host, ("AAAA", self.ip6()))
            for _ in range(rng.randint(0, 2)):
                self.add(host, ("MX", rng.randint(0, 20), rng.choice(self.hosts)))
            for length in (30, 29, 24):
                for kind, address in self.zone.get(host, []) and [r[:2] for r in self.zone[host]]:
                    if kind == "A":
                        self._point(int(ipaddress.IPv4Address(address)), length, 4)
        self.add(f"c0.{self.suffix}", ("CNAME", rng.choice(self.hosts)))
        self.add(f"c1.{self.suffix}", ("CNAME", f"c0.{self.suffix}"))
        self.alias_of = rng.choice(self.names)
        self.add(f"cd.{self.suffix}", ("CNAME", self.alias_of))
        self.add(f"nullmx.{self.suffix}", ("MX", 0, "."))
        self.add(f"err.{self.suffix}", ("TIMEOUT",))
        self.add(f"errmx.{self.suffix}", ("MX", 5, rng.choice(self.hosts)), ("MX", 10, f"err.{self.suffix}"))
        if rng.random() < .03:
            self.add(f"loop.{self.suffix}", ("CNAME", f"loop.{self.suffix}"))
        if rng.random() < .02:
            self.add(f"lost.{self.suffix}", ("SILENT",))

    def target(self, name):
        """A host for a and mx, sometimes none."""
        rng = self.rng
        r = rng.random()
        if r < .75:
            return rng.choice(self.hosts)
        return rng.choice((f"c0.{self.suffix}", f"c1.{self.suffix}", f"nx.{self.suffix}", rng.choice(self.names),
                           "%{d}", f"nullmx.{self.suffix}", "h%{d1}.test", "%{d2}", "m.%{d}", "h1.%{d2}", "H2.%{d2}",
                           "h%{v}.%{d2}"))

    def failing(self):
        rng = self.rng
        names = [f"err.{self.suffix}"]
        names += [n for n in (f"loop.{self.suffix}", f"lost.{self.suffix}") if n in self.zone]
        return rng.choice(names)

    def other(self, name):
        rng = self.rng
        choices = [other for other in self.names if other != name]
        if rng.random() < .06:
            choices = [f"nx.{self.suffix}", f"p.{name}", self.failing()]
            if name != self.alias_of:       # else it would name itself
                choices.append(f"cd.{self.suffix}")
        if rng.random() < .1:
            return rng.choice(("p.%{d}", "%{v}.%{d}", "%{d1r-}.%{d2}", f"q.%{{dr}}.{self.suffix}", "P.%{D}"))
        return rng.choice(choices)

    def dual(self, host):
        """cidr lengths of a and mx; the borders they make are noted."""
        rng = self.rng
        four = rng.choice(("", "", "/32", "/30", "/29", "/24", "/0"))
        six = rng.choice(("", "", "//128", "//126", "//125", "//64", "//0"))
        for kind, *values in self.zone.get(host, ()):
            if kind == "A" and four:
                self._point(int(ipaddress.IPv4Address(values[0])), int(four[1:]), 4)
            if kind == "AAAA" and six:
                self._point(int(ipaddress.IPv6Address(values[0])), int(six[2:]), 6)
        return four + six

    def term(self, name):
        rng = self.rng
        kind = rng.choices(("ip4", "ip6", "a", "mx", "include", "exists", "dynamic", "error", "all"),
                           (26, 17, 10, 8, 18, 7, 16, .8, 1))[0]
        q = rng.choice(QUALIFIERS)
        if kind == "ip4":
            word = rng.choice(("ip4", "ip4", "ip4", "IP4"))
            return f"{q}{word}:{self.ip4(rng.choice(CIDR4))}"
        if kind == "ip6":
            if rng.random() < .04:
                return f"{q}ip6:::ffff:{ipaddress.IPv4Address(self.base4)}/{rng.choice((96, 120, 128))}"
            return f"{q}ip6:{self.ip6(rng.choice(CIDR6))}"
        if kind in ("a", "mx"):
            if rng.random() < .3:
                return q + kind + self.dual(name)
            if rng.random() < .08:
                return f"{q}{kind}:{rng.choice((self.failing(), f'errmx.{self.suffix}'))}"
            target = self.target(name)
            return f"{q}{kind}:{target}{self.dual(target)}"
        if kind == "include":
            return f"{q}{rng.choice(('include', 'include', 'include', 'Include'))}:{self.other(name)}"
        if kind == "exists":
            if rng.random() < .06:
                return f"{q}exists:{self.failing()}"
            return q + "exists:" + rng.choice(("a.%{d}", "b." + rng.choice(self.names), "_i.%{v}.%{d}", self.hosts[0],
                                               f"c0.{self.suffix}", f"nx.{self.suffix}", "%{dr}." + name, "a.%{d3}",
                                               "x%%y.%{d}", f"x%_y.{self.suffix}", "%{d2r}." + name))
        if kind == "dynamic":
            return q + self.dynamic_term(name)
        if kind == "error":
            return rng.choice(SYNTAX_ERRORS)
        return q + "all"

    def dynamic_term(self, name):
        rng = self.rng
        other = rng.choice(self.names)
        return rng.choice((
            "exists:%{l}.%{d}", "exists:%{l}." + other, "exists:%{l}.%{d2}", "exists:%{lr}.%{o}", "exists:%{h}",
            "exists:%{i}._spf." + name, "exists:%{ir}.%{v}._bl." + name, "exists:%{l1r-}." + name,
            "exists:%{L}." + name, "exists:%{l-}._at.%{o}." + self.suffix, "exists:%{s}." + self.suffix,
            "exists:%{i2}._two." + name, "exists:%{l}%_%{h1}." + name, "exists:%{l}%%." + name,
            "exists:%{o2}.%{v}." + name, "exists:%{ir}.%{l1+}." + other, "include:x%{l}." + name, "include:x%{l}." + other, "include:x%{l}.%{d}",
            "include:%{ir}._in." + name, "a:%{h}", "a:%{h}/28//124", "mx:%{o}", "mx:%{h}/30", "a:%{l}." + name,
            "ptr", "ptr", "ptr:" + other, "ptr:%{d}", "ptr:%{d2}", "ptr:" + self.suffix, "ptr:%{o}"))

    def text(self, name):
        rng = self.rng
        terms = [self.term(name) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 8)))]
        r = rng.random()
        if r < .62:
            terms.append(rng.choice(("-all", "-all", "~all", "?all", "all", "+all", "-ALL")))
        elif r < .8:
            others = [other for other in self.names if other != name]
            terms.append("redirect=" + rng.choice([*others, *others, *others, f"nx.{self.suffix}", "p.%{d}",
                                                   "%{v}.%{d}", f"cd.{self.suffix}", self.failing()]))
        elif r < .85:
            terms.append(rng.choice(("redirect=%{l}x." + name, "redirect=%{ir}._in." + name, "redirect=x%{l}.%{d}")))
        if rng.random() < .12:
            texts = f"x0.{self.suffix}", f"x1.{self.suffix}", "x2.%{d}", f"nx.{self.suffix}"
            terms.append("exp=" + rng.choice(texts))
        if rng.random() < .06:
            terms.append(rng.choice(("unknown=x", "x-y.z_1=%{l}.%{d}", "moo=", "default=pass", "ip4=10.0.0.1")))
        if rng.random() < .1:
            rng.shuffle(terms)
        text = rng.choice(("v=spf1 ",) * 12 + ("V=SPF1 ", "v=spf1  ")) + rng.choice((" ",) * 9 + ("  ",)).join(terms)
        if not terms:
            text = rng.choice(("v=spf1", "v=spf1 "))
        return text + rng.choice(("",) * 12 + (" ", "  "))

    def _domain(self, name):
        rng = self.rng
        if rng.random() < .5:
            self.add(name, ("A", self.ip4()))
        if rng.random() < .3:
            self.add(name, ("AAAA", self.ip6()))
        if rng.random() < .3:
            self.add(name, ("MX", 5, rng.choice(self.hosts)))
        if rng.random() < .05:
            self.add(name, ("TXT", rng.choice(("other text", "v=spf10 -all", "v=spf1-all", "spf2.0/pra -all", ""))))
        if rng.random() < .04:
            return
        text = self.text(name)
        if rng.random() < .1 and len(text) > 12:
            cut = rng.randint(1, len(text) - 1)
            self.record(name, [text[:cut], text[cut:]])
        elif rng.random() < .02:
            padding = " ".join(self.term(name) for _ in range(80))      # does not fit into a UDP answer
            self.record(name, text.replace("v=spf1 ", f"v=spf1 {padding} ", 1))
        else:
            self.record(name, text)
        if rng.random() < .02:
            self.record(name, "v=spf1 -all")
        for label in ("p", "in-addr", "ip6"):
            if rng.random() < .3:
                last = rng.choice((" -all", " ~all", ""))
                self.add(f"{label}.{name}", ("TXT", f"v=spf1 {self.term(f'{label}.{name}')}{last}"))
        self.add(f"x2.{name}", ("TXT", "See %{d}, %{i}, %{s} and %{o}."))

    def record(self, name, text):
        self.add(name, ("TXT", text))
        if self.prefixed and name in self.customers:
            self.add("_src." + name, ("TXT", text))

    def _dynamic(self):
        rng = self.rng
        short = ("+all", "-all", "?all", "~all", f"ip4:{ipaddress.IPv4Address(self.base4)}/30 ~all",
                 f"ip6:{ipaddress.IPv6Address(self.base6)}/126 -all", "ip4:", "redirect=" + self.names[-1])
        points4 = sorted(point for family, point in self.points if family == 4)
        for name in self.names:
            for label in "abc":
                if rng.random() < .4:
                    self.add(f"{label}.{name}", ("A", "127.0.0.2"))
                for pattern in ("x%s.", "%sx."):
                    if rng.random() < .5:
                        self.add(pattern % label + name, ("TXT", "v=spf1 " + rng.choice(short)))
            for zone in ("_i.in-addr.", "_i.ip6.", "a.b.", "c.a.b.", "a%2Bb.", "h1.", "b h1.", "a%."):
                if rng.random() < .3:
                    self.add(zone + name, ("A", "127.0.0.2"))
            for point in rng.sample(points4, min(3, len(points4))):
                plain = str(ipaddress.IPv4Address(point))
                reverse = ".".join(reversed(plain.split(".")))
                self.add(f"{plain}._spf.{name}", ("A", "127.0.0.2"))
                self.add(f"{reverse}.in-addr._bl.{name}", ("A", "127.0.0.2"))
                self.add(f"{reverse}._in.{name}", ("TXT", "v=spf1 " + rng.choice(short)))
        self.add(f"x0.{self.suffix}", ("TXT", "%{i} is not one of %{d}'s servers"))
        self.add(f"x1.{self.suffix}", ("TXT", ["Refused: %{l} ", "at %{o} (%{h})"]))

    def _reverse(self):
        rng = self.rng
        own = sorted((family, point) for family, point in self.points     # others belong to several sets of a block
                     if (point >> 10 == self.base4 >> 10 if family == 4 else point >> 80 == self.base6 >> 80))
        for family, point in rng.sample(own, min(6, len(own))):
            address = ipaddress.IPv4Address(point) if family == 4 else ipaddress.IPv6Address(point)
            name = rng.choice((rng.choice(self.names), rng.choice(self.hosts), "m." + rng.choice(self.names),
                               f"nx.{self.suffix}"))
            owner = address.reverse_pointer
            if owner in self.zone:
                continue
            self.add(owner, ("PTR", name))
            if rng.random() < .7:
                self.add(name, ("A" if family == 4 else "AAAA", str(address)))

    # ---- clients

    def clients(self):
        rng = self.rng
        points = sorted(self.points)
        while True:
            customer = rng.choice(self.customers)
            r = rng.random()
            if r < .88 and points:
                family, point = rng.choice(points)
                address = ipaddress.IPv4Address(point) if family == 4 else ipaddress.IPv6Address(point)
            elif r < .94:
                address = ipaddress.IPv4Address(rng.getrandbits(32))
            else:
                address = ipaddress.IPv6Address(0x20010db8 << 96 | rng.getrandbits(96))
            ip = str(address)
            if address.version == 4 and rng.random() < .03:
                ip = "::ffff:" + ip
            local = rng.choice(("a", "b", "c", "zz", "a-b", "a+b", "a.b", "A"))
            sender = f"{local}@{customer}"
            helo = rng.choice((*self.hosts, f"nx.{self.suffix}", customer, "mail.elsewhere.test"))
            if rng.random() < .05:
                sender, helo = "", customer
            yield customer, ip, sender, helo


def make(seed, index):
    return ZoneSet(random.Random(f"{seed}/{index}"), index)
