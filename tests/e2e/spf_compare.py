"""Source records without limits == published records + our answers with limits: one block of zone sets at a time.

A block is compiled by one run of `mailzone build` and served by one mailzoned, so that many zone sets cost little. Each
domain stands in one zone per form; receivers see what a customer would publish (FORMS).
"""
import dataclasses
import ipaddress
import pathlib
import re

import spf_oracle
import spf_receiver
import spf_world

# form -> (zone, layout, the record to publish)
FORMS = {
    "redirect": ("_r.pub.test", "%{ir}.%{d}", "v=spf1 redirect=%{ir}.%{d}._r.pub.test"),
    "include": ("_i.pub.test", "%{ir}.%{v}.%{d}", "v=spf1 include:%{ir}.%{v}.%{d}._i.pub.test -all"),
    "classes": ("_c.pub.test", "{class}.%{ir}._d.%{d}", "v=spf1 include:p.%{ir}._d.%{d}._c.pub.test "
                "~include:s.%{ir}._d.%{d}._c.pub.test ?include:n.%{ir}._d.%{d}._c.pub.test -all"),
    "exists": ("_e.pub.test", "%{i}._d.%{d}", "v=spf1 exists:%{i}._d.%{d}._e.pub.test -all"),
    "prefixed": ("_s.pub.test", "%{i}._ip.%{h}._ehlo.%{d}", "v=spf1 redirect=%{i}._ip.%{h}._ehlo.%{d}._s.pub.test"),
}
STATIC = re.compile(r"v=spf1 ([-~?]all|ip[46]:\S+ -all)( exp=\S+)?|2")     # 2: SERVFAIL


def start_mailspf():
    """-> (Router, MailSpf); the router needs a receiver."""
    router = spf_receiver.Router(None)
    return router, spf_oracle.MailSpf(router.port)


def config(forwarder, customers, deadline_ms=1500):
    """`customers`: {form: [domain]} -> mailzone.toml"""
    text = (f'[server]\nimage = "spf.mzi"\n[resolver]\nforwarders = ["127.0.0.1@{forwarder}"]\n'
            f"deadline_ms = {deadline_ms}\nattempts = 1\nin_flight = 256\n")
    for form, domains in customers.items():
        if not domains:
            continue
        zone, layout, _ = FORMS[form]
        listed = ", ".join(f'"{domain}"' for domain in domains)
        text += (f'[[zone]]\nname = "{zone}"\ntype = "spf"\nns = ["ns.pub.test"]\nhostmaster = "hostmaster@pub.test"\n'
                 f'layout = "{layout}"\nform = "{form if form != "prefixed" else "redirect"}"\ndomains = [{listed}]\n')
        if form == "prefixed":
            text += 'source_prefix = "_src"\n'
    return text


def expected(form, source, residual):
    """What a receiver may see for a result of the source record (RFC 7208 sections 5.2 and 6.1); empty: not comparable.

    `residual`: our answer in the redirect form, needed for the forms that cannot say everything.
    """
    exact = "permerror" if source == "none" else source
    included = "fail" if exact in ("softfail", "neutral") else exact
    if form in ("redirect", "prefixed"):
        return {exact}
    if form == "include":
        return {included}
    if form == "classes":
        # A redirect that only the receiver can follow says pass or not pass when it is asked by an include.
        return {exact, included} if "redirect=" in residual else {exact}
    # exists: an address record or none, which cannot say permerror, nor what depends on the message
    if not STATIC.fullmatch(residual):
        return set()
    return {{"pass": "pass", "temperror": "temperror"}.get(source, "fail")}


@dataclasses.dataclass
class Difference:
    form: str
    customer: str
    ip: str
    sender: str
    helo: str
    engine: str
    want: str
    got: str
    why: str
    residual: str
    zone: dict
    prefixed: bool

    def text(self):
        lines = [f"{self.engine}, form {self.form}, domain {self.customer}, client {self.ip}, sender {self.sender!r}, "
                 f"helo {self.helo}: source says {self.want}, published says {self.got} ({self.why})",
                 f"residual: {self.residual}"]
        for name, records in self.zone.items():
            for record in records:
                lines.append(f"  {name}  {' '.join(map(repr, record))}")
        if len(lines) > 40:
            lines[40:] = [f"... and {len(lines) - 40} more records"]
        return "\n        ".join(lines)


class Block:
    """Zone sets, compiled and served. Close it. `perl`: (Router, MailSpf) of somebody else; started when needed."""

    def __init__(self, test, sets, forms=tuple(FORMS), deadline_ms=1500, perl=None):
        self.test, self.closers, self.perl = test, [], perl
        self.directory = test.new_directory()
        world = spf_world.World()
        customers = {form: [] for form in forms}
        for zone_set in sets:
            world.add_all(zone_set.zone)
            for domain in zone_set.customers:
                for form in forms:
                    if form != "prefixed" or zone_set.prefixed:
                        customers[form].append(domain)
                        world.add(f"_pub-{form}.{domain}", [["TXT", FORMS[form][2]]])
        self.server = spf_world.WorldServer(world)
        self.closers.append(self.server.close)
        pathlib.Path(self.directory, "z.toml").write_text(config(self.server.compiler_port, customers, deadline_ms))
        self.build = test.run([test.binary("mailzone"), "build", "z.toml"], cwd=self.directory, timeout=120)
        if self.build.returncode != 0:
            self.close()
            raise AssertionError(f"mailzone build: exit {self.build.returncode}\n{self.build.stderr[-3000:]}")
        process, client = test.start_mailzoned(self.directory / "spf.mzi", directory=self.directory)
        self.process = process
        self.closers += [process.stop, client.close]
        self.receiver = spf_receiver.Receiver(self.server.receiver_port)
        self.closers.append(self.receiver.close)
        for zone, _, _ in FORMS.values():
            self.receiver.route(zone, client.port)
        self.pyspf = spf_oracle.PySpf(self.receiver)

    def mailspf(self):
        if self.perl is None:
            self.perl = start_mailspf()
            self.closers += [part.close for part in self.perl]
        self.perl[0].receiver = self.receiver
        return self.perl[1]

    def close(self):
        while self.closers:
            self.closers.pop()()

    def source(self, engine, ip, sender, helo):
        self.receiver.publish(None, None)
        return engine.check(ip, sender, helo, limits=False)

    def published(self, engine, form, customer, ip, sender, helo, limits=True):
        self.receiver.publish(customer, f"_pub-{form}.{customer}")
        return engine.check(ip, sender, helo, limits)

    def query_name(self, form, customer, ip, helo, label="p"):
        address = ipaddress.ip_address(ip)
        address = getattr(address, "ipv4_mapped", None) or address
        labels = str(address).split(".") if address.version == 4 else list(address.exploded.replace(":", ""))
        zone, layout, _ = FORMS[form]
        family = "in-addr" if address.version == 4 else "ip6"
        for macro, value in (("%{ir}", ".".join(reversed(labels))), ("%{i}", ".".join(labels)), ("%{v}", family),
                             ("%{d}", customer), ("%{h}", helo), ("{class}", label)):
            layout = layout.replace(macro, value)
        return f"{layout}.{zone}"

    def residual(self, form, customer, ip, helo):
        """What mailzoned says, as text."""
        answer = self.receiver.txt(self.query_name(form, customer, ip, helo))
        return answer[0] if isinstance(answer, list) and len(answer) == 1 else str(answer)


@dataclasses.dataclass
class Counts:
    sets: int = 0
    comparisons: int = 0
    second_engine: int = 0          # of them with Mail::SPF as receiver
    dynamic: int = 0                # of them with an answer that leaves something to the receiver
    over_limits: int = 0            # equal only without limits, and the answer needs more than the limits
    known_errors: int = 0           # Mail::SPF reads the source differently, for a reason of known_error()
    mixed_explanations: int = 0     # another explanation with the same result, see mixed_explanations()
    results: dict = dataclasses.field(default_factory=dict)

    def add(self, other):
        for field in dataclasses.fields(self):
            if field.name != "results":
                setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        for result, count in other.results.items():
            self.results[result] = self.results.get(result, 0) + count


def known_error(zone_set, ip, first, second):
    """Why Mail::SPF may read a source differently from pyspf, or ""."""
    text = " ".join("".join(r[1]) for records in zone_set.zone.values() for r in records if r[0] == "TXT")
    if "reaches itself" in first.detail or "recursion" in first.detail or "recursion" in second.detail:
        return "a loop without limits"
    if "." in ip and re.search(r"ip6:(\S+/[012]\b|::ffff)", text, re.IGNORECASE):
        return "IPv4 clients match short and mapped ip6 ranges"
    if re.search(r"%\{[A-Z]", text):
        return "upper-case macros are not escaped"
    if "macro" in first.detail.lower():
        return "macros are not looked at before they are needed"
    if "errmx" in text:
        return "mx stops at the first exchange that matches"
    return ""


def mixed_explanations(zone_set):
    """A clause that only the receiver can decide may fail with another explanation than what follows it. Our answers
    have one explanation each."""
    text = " ".join("".join(r[1]) for records in zone_set.zone.values() for r in records if r[0] == "TXT")
    return "exp=" in text and re.search(r"-(\S*%\{|ptr|include)", text, re.IGNORECASE)


def compare_client(block, zone_set, form, client, counts, perl=False):
    """One comparison. -> Difference or None."""
    customer, ip, sender, helo = client
    engine = block.mailspf() if perl else block.pyspf
    source = block.source(block.pyspf, ip, sender, helo)
    residual = block.residual("redirect", customer, ip, helo)
    want = expected(form, source.result, residual)
    if not want:
        return None
    counts.comparisons += 1
    counts.dynamic += not STATIC.fullmatch(residual)
    counts.results[source.result] = counts.results.get(source.result, 0) + 1
    wanted = f"{source.result} ({source.detail})"
    difference = Difference(form, customer, ip, sender, helo, "Mail::SPF" if perl else "pyspf", wanted, "", "",
                            block.residual(form, customer, ip, helo), zone_set.zone, zone_set.prefixed)
    if perl:
        counts.second_engine += 1
        second = block.source(engine, ip, sender, helo)
        known = second.result != source.result
        if known:
            if not known_error(zone_set, ip, source, second):
                difference.engine = "Mail::SPF reads the source"
                difference.got, difference.why = second.result, second.detail
                return difference
            counts.known_errors += 1
            want = want | expected(form, second.result, residual)
    got = block.published(engine, form, customer, ip, sender, helo)
    difference.got, difference.why = got.result, got.detail
    if got.result in want:
        # The redirect form keeps the explanation as well (section 6.2).
        if perl or form != "redirect" or got.result != "fail" or got.explanation == source.explanation:
            return None
        if not mixed_explanations(zone_set):
            return difference
        counts.mixed_explanations += 1
        return None
    if perl and known:
        return None
    free = block.published(block.pyspf, form, customer, ip, sender, helo, limits=False)
    if free.result in want and free.over_limits():
        counts.over_limits += 1
        return None
    return difference


def run_block(test, sets, clients_per_set, second_every, on_difference):
    """Compares `clients_per_set` clients of each set, each in two forms. -> Counts"""
    counts = Counts(sets=len(sets))
    block = Block(test, sets)
    try:
        serial = 0
        for zone_set in sets:
            clients = zone_set.clients()
            others = [form for form in FORMS if form != "redirect" and (form != "prefixed" or zone_set.prefixed)]
            for _ in range(clients_per_set):
                client = next(clients)
                serial += 1
                pairs = [("redirect", False), (others[serial % len(others)], False)]
                if serial % second_every == 0:
                    pairs.append((("redirect", "include", "classes")[serial // second_every % 3], True))
                for form, perl in pairs:
                    difference = compare_client(block, zone_set, form, client, counts, perl)
                    if difference:
                        on_difference(zone_set, client, difference)
    finally:
        block.close()
    return counts


# ---- making a difference small

class Reduced:
    """A zone set like any other, with fewer records."""

    def __init__(self, zone, customers, prefixed):
        self.zone, self.customers, self.prefixed = zone, customers, prefixed


def minimise(test, difference, client, steps=150):
    """Drops names, records and terms while the difference stays. -> Difference"""
    best = difference
    engine_is_perl = difference.engine != "pyspf"

    def attempt(zone):
        nonlocal best, steps
        if steps <= 0:
            return False
        steps -= 1
        zone_set = Reduced(zone, [difference.customer], difference.prefixed)
        forms = ("redirect",) if difference.form == "redirect" else ("redirect", difference.form)
        try:
            block = Block(test, [zone_set], forms, deadline_ms=500)
        except AssertionError:
            return False
        try:
            found = compare_client(block, zone_set, difference.form, client, Counts(), engine_is_perl)
        finally:
            block.close()
        if found:
            best = found
        return bool(found)

    progress = True
    while progress and steps > 0:
        progress = False
        for name in list(best.zone):
            if attempt({key: value for key, value in best.zone.items() if key != name}):
                progress = True
        for name in list(best.zone):
            for i, record in enumerate(list(best.zone.get(name, ()))):
                smaller = [r for k, r in enumerate(best.zone[name]) if k != i]
                if len(best.zone[name]) > 1 and attempt({**best.zone, name: smaller}):
                    progress = True
                    break
                text = record[1] if record[0] == "TXT" else None
                text = "".join(text) if isinstance(text, list) else text
                terms = text.split(" ") if text and text.lower().startswith("v=spf1 ") else []
                k = 1
                while k < len(terms):
                    shorter = ["TXT", " ".join(terms[:k] + terms[k + 1:])]
                    records = [*best.zone[name]]
                    records[i] = shorter
                    zone = {**best.zone, name: records}
                    if "_src." + name in zone and name == difference.customer:
                        zone["_src." + name] = [shorter]
                    if attempt(zone):
                        terms, progress = terms[:k] + terms[k + 1:], True
                    else:
                        k += 1
    return best
