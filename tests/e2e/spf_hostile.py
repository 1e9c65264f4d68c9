"""Broken and hostile sources: one world with a good domain among them, and what RFC 7208 says for each.

A source that breaks a bound of the compiler is permerror (docs/SPF.md); one that cannot be asked is temperror.
"""
import ipaddress

import spf_world

MARK = "\x1b[31mINJECTED\x07"       # must not be seen in any output


def address(number):
    """Every second address from 100.64.0.0 on: no two of them make a prefix."""
    return str(ipaddress.IPv4Address((100 << 24 | 64 << 16) + 2 * number))


def addresses(first, count):
    return " ".join(f"ip4:{address(i)}" for i in range(first, first + count))


class Hostile:
    """world; expect: {domain: [(ip, result)]}; words: {domain: what its diagnostic says}."""

    def __init__(self):
        self.world, self.expect, self.words = spf_world.World(), {}, {}
        self._sizes()
        self._ways()
        self._texts()
        self._answers()

    def add(self, name, texts, checks, word="", more=()):
        """Source records of NAME.bad.test. `more`: [(label, records)] below it; {} in texts is the domain."""
        domain = f"{name}.bad.test"
        fill = lambda text: text.replace("{}", domain) if isinstance(text, str) else text
        self.world.add(domain, [["TXT", fill(text)] for text in texts])
        for label, records in more:
            self.world.add(f"{label}.{domain}", [[fill(part) for part in record] for record in records])
        self.expect[domain], self.words[domain] = checks, word

    def behind(self, name, terms, result, word="", more=()):
        """One record: 192.0.2.1 passes, then `terms` decide."""
        checks = [("192.0.2.1", "pass"), ("192.0.2.2", result)]
        self.add(name, [f"v=spf1 ip4:192.0.2.1 {terms} -all"], checks, word, more)

    def _sizes(self):
        count = (64000 - 20) // 17      # 64 kB in one record
        self.add("long", [f"v=spf1 {addresses(0, count)} -all"], [
            (address(0), "pass"), (address(count - 1), "pass"), ("100.64.0.1", "fail"), ("2001:db8::1", "fail")])
        each, parts = 3400, 30          # 102,000 prefixes
        between = ipaddress.IPv4Address(address(17 * each + 5)) + 1
        self.add("prefixes", ["v=spf1 " + " ".join(f"include:_p{k}.{{}}" for k in range(parts)) + " -all"], [
            (address(0), "pass"), (address(parts * each - 1), "pass"), (address(17 * each + 5), "pass"),
            (str(between), "fail"), (address(parts * each), "fail")],
            more=[(f"_p{k}", [["TXT", f"v=spf1 {addresses(k * each, each)} ?all"]]) for k in range(parts)])
        self.behind("addresses", "a:_many.{}", "permerror", "addresses",
                    [("_many", [["A", address(i)] for i in range(2000)])])
        # 400 classes of addresses, each with another text.
        self.add("programs", ["v=spf1 " + " ".join(f"exists:%{{l}}.x{i}.test ip4:{address(i)}" for i in range(400)) +
                              " -all"], [("192.0.2.2", "permerror")], "programs.bad.test")
        # What is left to the receiver does not fit into an answer.
        terms = " ".join(f"exists:%{{l}}.{'y' * 40}{i}.test" for i in range(40))
        self.add("residual", [f"v=spf1 ip4:192.0.2.1 {terms} -all"], [("192.0.2.1", "pass")], "residual.bad.test")

    def _ways(self):
        self.behind("chain", "include:_c0.{}", "permerror", "records in a row",
                    [(f"_c{i}", [["TXT", f"v=spf1 include:_c{i + 1}.{{}} -all"]]) for i in range(1000)])
        self.add("loop", ["v=spf1 ip4:192.0.2.1 include:_1.{} -all"],
                 [("192.0.2.1", "pass"), ("192.0.2.2", "pass"), ("192.0.2.3", "permerror")], "leads back to itself",
                 [("_1", [["TXT", "v=spf1 ip4:192.0.2.2 include:_2.{} -all"]]),
                  ("_2", [["TXT", "v=spf1 redirect=_1.{}"]])])
        self.add("self", ["v=spf1 ip4:192.0.2.1 redirect={}"], [("192.0.2.1", "pass"), ("192.0.2.2", "permerror")],
                 "leads back to itself")
        # Two includes of the next level each: 2^60 ways.
        tree = [(f"_t{i}", [["TXT", f"v=spf1 include:_t{i + 1}.{{}} include:_t{i + 1}.{{}} -all"]]) for i in range(60)]
        self.behind("tree", "include:_t0.{}", "permerror", "records",
                    [*tree, ("_t60", [["TXT", "v=spf1 ip4:192.0.2.7 -all"]])])
        # Everybody includes everybody: loops within loops.
        clique = [f"_k{i}" for i in range(12)]
        self.behind("clique", "include:_k0.{}", "permerror", "", [
            (me, [["TXT", "v=spf1 " + " ".join(f"include:{other}.{{}}" for other in clique if other != me) + " -all"]])
            for me in clique])
        self.add("home", ["v=spf1 ip4:192.0.2.1 redirect=%{ir}.%{d}._r.pub.test"],
                 [("192.0.2.1", "pass"), ("192.0.2.2", "permerror")], "we publish")

    def _texts(self):
        for_all = [("192.0.2.1", "permerror"), ("2001:db8::1", "permerror")]
        self.add("control", [b"v=spf1 ip4:192.0.2.1 " + MARK.encode() + b"\r\n$DATASET x\0 -all"], for_all,
                 "control.bad.test")
        self.add("eight", ["v=spf1 ip4:192.0.2.1 include:\u00e9.test -all"], for_all, "eight.bad.test")
        self.add("syntax", ["v=spf1 ip4:192.0.2.1 ipv4:192.0.2.2 -all"], for_all, "syntax.bad.test")
        self.add("two", ["v=spf1 ip4:192.0.2.1 -all", "v=spf1 -all"], for_all, "2 SPF records")
        self.add("none", ["no record"], for_all, "no SPF record")
        self.expect["gone.bad.test"], self.words["gone.bad.test"] = for_all, "gone.bad.test"
        self.behind("shell", "exists:%{l}.'\"$(id)`|;<>.bad.test", "fail")
        label = "l" * 63
        long_name = f"{label}.{label}.{label}.{label}.test"
        self.behind("label", f"a:{'x' * 70}.test", "fail")
        self.behind("name", f"a:{long_name}", "fail")
        self.behind("include", f"include:{long_name}", "permerror", "include.bad.test")

    def _answers(self):
        self.add("good", ["v=spf1 ip4:192.0.2.1 include:_s.{} ~all"], [
            ("192.0.2.1", "pass"), ("192.0.2.9", "pass"), ("192.0.2.2", "softfail"), ("2001:db8::1", "softfail")],
            more=[("_s", [["TXT", "v=spf1 ip4:192.0.2.9 -all"]])])
        self.behind("silent", "include:_lost.{}", "temperror", "failed", [("_lost", [["SILENT"]])])
        names = [f"_l{i}" for i in range(20)]
        self.behind("silence", " ".join(f"a:{name}.{{}}" for name in names), "temperror", "failed",
                    [(name, [["SILENT"]]) for name in names])
        self.behind("servfail", "mx:_x.{}", "temperror", "SERVFAIL", [("_x", [["TIMEOUT"]])])
