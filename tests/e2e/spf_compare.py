"""Source records without limits == published records + our answers with limits: one block of zone sets at a time.

A block is compiled by one run of `mailzone build` and served by one mailzoned, so that many zone sets cost little. Each
domain stands in one zone per form; receivers see what a customer would publish (forms()).
"""
import dataclasses
import ipaddress
import pathlib
import re

import harness
import spf_oracle
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
    """What a receiver must see for a result of the source record (RFC 7208 sections 5.2 and 6.1); None: not comparable.

    `residual`: our answer in the redirect form.
    """
    if form in ("redirect", "prefixed") or form == "classes" and "redirect=" not in residual:
        return "permerror" if source == "none" else source
    if form in ("include", "classes"):  # a redirect that only the receiver can follow says pass or not pass in an include
        return {"none": "permerror", "softfail": "fail", "neutral": "fail"}.get(source, source)
    # exists: an address record or none, which cannot say permerror
    if not STATIC.fullmatch(residual):
        return None
    return {"pass": "pass", "temperror": "temperror"}.get(source, "fail")


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
        return "\n        ".join(lines)


class Block:
    """Zone sets, compiled and served. Close it."""

    def __init__(self, test, sets, forms=tuple(FORMS), deadline_ms=1500):
        self.test, self.closers = test, []
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
        self.receiver = spf_world.Receiver(self.server.receiver_port)
        self.closers.append(self.receiver.close)
        for zone, _, _ in FORMS.values():
            self.receiver.route(zone, client.port)
        self.pyspf = spf_oracle.PySpf(self.receiver)
        self.perl = None

    def mailspf(self):
        if self.perl is None:
            router = spf_world.Router(self.receiver)
            self.perl = spf_oracle.MailSpf(router.port)
            self.closers += [router.close, self.perl.close]
        return self.perl

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
        for macro, value in (("%{ir}", ".".join(reversed(labels))), ("%{i}", ".".join(labels)), ("%{d}", customer), ("%{h}", helo),
                             ("%{v}", "in-addr" if address.version == 4 else "ip6"), ("{class}", label)):
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
    second_engine: int = 0
    dynamic: int = 0
    over_limits: int = 0            # equal only without limits, and the answer needs more than the limits
    oracles_differ: int = 0         # the second oracle reads the source differently from the first
    explanations_differ: int = 0
    results: dict = dataclasses.field(default_factory=dict)

    def add(self, other):
        for field in dataclasses.fields(self):
            if field.name != "results":
                setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        for result, count in other.results.items():
            self.results[result] = self.results.get(result, 0) + count


def compare_client(block, zone_set, form, client, counts, engine=None, source=None):
    """One comparison. -> Difference or None."""
    customer, ip, sender, helo = client
    engine = engine or block.pyspf
    name = "pyspf" if engine is block.pyspf else "Mail::SPF"
    source = source or block.source(block.pyspf, ip, sender, helo)
    residual = block.residual("redirect", customer, ip, helo) if form in ("exists", "classes") else ""
    want = expected(form, source.result, residual)
    if want is None:
        return None
    got = block.published(engine, form, customer, ip, sender, helo)
    counts.comparisons += 1
    counts.results[want] = counts.results.get(want, 0) + 1
    why = got.detail
    if got.result == want:
        if form == "redirect" and want == "fail" and name == "pyspf" and got.explanation != source.explanation:
            counts.explanations_differ += 1
        return None
    free = block.published(block.pyspf, form, customer, ip, sender, helo, limits=False)
    if free.result == want and free.over_limits():
        counts.over_limits += 1
        return None
    return Difference(form, customer, ip, sender, helo, name, f"{source.result} ({source.detail})", got.result, why,
                      block.residual(form if form != "exists" else "redirect", customer, ip, helo), zone_set.zone,
                      zone_set.prefixed)


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
                source = block.source(block.pyspf, *client[1:])
                for form in ("redirect", others[serial % len(others)]):
                    difference = compare_client(block, zone_set, form, client, counts, source=source)
                    if difference:
                        on_difference(zone_set, client, difference)
                serial += 1
                if serial % second_every == 0:
                    counts.second_engine += 1
                    second = block.source(block.mailspf(), *client[1:])
                    counts.oracles_differ += second.result != source.result
                    difference = compare_client(block, zone_set, "redirect", client, counts, block.mailspf(), source)
                    if difference:
                        difference.why += f"; Mail::SPF reads the source as {second.result}"
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
            found = compare_client(block, zone_set, difference.form, client, Counts(),
                                   block.mailspf() if engine_is_perl else None)
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
