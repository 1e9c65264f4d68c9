"""A second opinion that is fast: check_host() for records without terms that depend on the message.

  e = Evaluator(receiver)
  e.borders("customer.example", "_src.customer.example")     first and last address of every prefix, their neighbours
  e.check("customer.example", "_src.customer.example", address) -> "pass", ..., or None where the message decides

No limits on lookups. One term after the other, as RFC 7208 section 4.6 says it, so that nothing of the compiler's ideas
is repeated here; only runs of terms with one qualifier are searched by bisection. Well-formed records of the real world
are understood.
"""
import bisect
import ipaddress
import re

import spf_world

RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
TERM = re.compile(r"([-+~?]?)(all|include|ip4|ip6|a|mx|exists|ptr)(?::([^/]*))?((?:/\d+)?(?://\d+)?)", re.IGNORECASE)
MODIFIER = re.compile(r"([A-Za-z][\w.-]*)=(.*)", re.ASCII)


def span(family, address, length):
    """-> (family, first, last) of a prefix."""
    size = 1 << ((32 if family == 4 else 128) - length)
    first = address & ~(size - 1)
    return family, first, first + size - 1


class Ranges:
    """Addresses between others. `all`: as they were given."""

    def __init__(self, ranges):
        self.all = list(ranges)
        self.merged = {4: [], 6: []}
        for family, first, last in sorted(self.all):
            merged = self.merged[family]
            if merged and first <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], last)
            else:
                merged.append([first, last])

    def holds(self, family, address):
        merged = self.merged[family]
        at = bisect.bisect_right(merged, address, key=lambda r: r[0])
        return at > 0 and address <= merged[at - 1][1]


class Evaluator:
    def __init__(self, receiver):
        self.receiver = receiver
        self.records = {}       # (domain, owner) -> terms, or the result of a name without a usable record

    # ---- records

    def addresses(self, name, four, six):
        """-> ranges of the addresses of a name, both families."""
        out = []
        for kind, family, length in ((spf_world.A, 4, four), (spf_world.AAAA, 6, six)):
            rcode, records = self.receiver.ask(spf_world.wire_name(name), kind)
            if rcode not in (0, spf_world.NXDOMAIN):
                raise ValueError(f"{name}: rcode {rcode}")
            out += [span(family, int.from_bytes(rdata, "big"), length) for rdata, _, _ in records]
        return out

    def terms(self, domain, owner):
        key = (domain, owner)
        if key not in self.records:
            self.records[key] = self._read(domain, owner)
        return self.records[key]

    def _read(self, domain, owner):
        rcode, records = self.receiver.ask(spf_world.wire_name(owner), spf_world.TXT)
        if rcode not in (0, spf_world.NXDOMAIN):
            return "temperror"
        texts = [b"".join(spf_world.strings(rdata)).decode("latin-1") for rdata, _, _ in records]
        texts = [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
        if len(texts) != 1:
            return "permerror" if texts else "none"
        terms, redirect = [], None
        for word in filter(None, texts[0].split(" ")[1:]):
            if modifier := MODIFIER.fullmatch(word):
                redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
                continue
            if not (term := TERM.fullmatch(word)):
                return "permerror"
            kind, result, value = self._term(domain, term)
            if kind == "ranges" and terms and terms[-1][:2] == (kind, result):
                terms[-1] = (kind, result, terms[-1][2] + value)
            else:
                terms.append((kind, result, value))
            if kind == "all":
                redirect = None
                break
        if redirect:
            terms.append(("dynamic", None, None) if "%" in redirect else ("redirect", None, redirect))
        return [(kind, result, Ranges(value) if kind == "ranges" else value) for kind, result, value in terms]

    def _term(self, domain, term):
        result, kind, value = RESULTS[term[1] or "+"], term[2].lower(), term[3]
        lengths = re.fullmatch(r"(?:/(\d+))?(?://(\d+))?", term[4])
        if kind in ("all", "include"):
            return ("dynamic", None, None) if value and "%" in value else (kind, result, value)
        if kind in ("exists", "ptr") or value and "%" in value:
            return "dynamic", None, None
        if kind in ("ip4", "ip6"):
            network = ipaddress.ip_network(value + term[4], strict=False)
            return "ranges", result, [(network.version, int(network[0]), int(network[-1]))]
        four, six = int(lengths[1] or 32), int(lengths[2] or 128)
        if kind == "a":
            return "ranges", result, self.addresses(value or domain, four, six)
        _, records = self.receiver.ask(spf_world.wire_name(value or domain), spf_world.MX)
        exchanges = [spf_world.expand_name(message, offset + 2) for _, message, offset in records]
        return "ranges", result, [r for name in exchanges if name for r in self.addresses(name, four, six)]

    # ---- questions

    def borders(self, domain, owner):
        """{(family, address)} of everything the record leads to."""
        out, seen, todo = set(), set(), [(domain, owner)]
        while todo:
            key = todo.pop()
            if key in seen or isinstance(self.terms(*key), str):
                continue
            seen.add(key)
            for kind, _, value in self.terms(*key):
                if kind in ("include", "redirect"):
                    todo.append((value, value))
                elif kind == "ranges":
                    for family, first, last in value.all:
                        top = (1 << (32 if family == 4 else 128)) - 1
                        out.update((family, point) for point in (first, last, first - 1, last + 1) if 0 <= point <= top)
        return out

    def check(self, domain, owner, family, address, above=()):
        if (domain, owner) in above:
            return "permerror"
        terms = self.terms(domain, owner)
        if isinstance(terms, str):
            return terms
        for kind, result, value in terms:
            if kind == "ranges":
                if value.holds(family, address):
                    return result
            elif kind == "dynamic":
                return None
            elif kind == "all":
                return result
            else:
                inner = self.check(value, value, family, address, (*above, (domain, owner)))
                if inner is None or inner == "temperror":
                    return inner
                if kind == "redirect":
                    return "permerror" if inner == "none" else inner
                if inner in ("permerror", "none"):
                    return "permerror"
                if inner == "pass":
                    return result
        return "neutral"
