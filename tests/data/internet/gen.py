#!/usr/bin/env python3
"""An internet in a box for SPF: provider zones (plain zone files in providers/) and N generated customer domains.

  gen.py N [--seed S] [--out DIR] [--faults] [--form include|redirect] [--zone _spf.flat.example]

Writes DIR/example.zone (all customers, in one zone for the TLD "example"), DIR/domains.txt (one domain per line) and
DIR/sources.tsv (domain, source record). Customer k is the same for every N > k (it has a random stream of its own), so
the set of 10 is the beginning of the set of 570. The source record stands at _xpg8.<domain>, the published macro record at
<domain>. Customers' addresses are from 198.19.128.0/17 (benchmark range) and 2001:db8:c000::/34 (documentation range).
"""
import argparse
import pathlib
import random

PROVIDERS = pathlib.Path(__file__).resolve().parent / "providers"

FIRST = ("north south blue red green silver iron oak pine river lake stone hill fox owl hawk lion bear wolf alpine metro urban "
         "prime first global union delta apex nova terra solar lunar cobalt amber coral").split()
SECOND = ("bank foods motors health clinic schools college freight labs media press retail textiles energy water rail air travel "
          "hotels games insurance steel timber paper dental legal council museum robotics software telecom seeds tools paints "
          "optics").split()

# Sending services and the share of customers that include them.
SERVICES = [(.40, "include:sendgrid.net"), (.22, "include:mailgun.org"), (.28, "include:servers.mcsv.net"),
                   (.14, "include:spf.mandrillapp.com"), (.30, "include:amazonses.com"), (.20, "include:mail.zendesk.com"),
                   (.10, "include:email.freshdesk.com"), (.18, "include:{hub}.spf{hub_zone:02d}.hubspotemail.net"),
                   (.09, "include:mktomail.com"), (.07, "include:spf.constantcontact.com"),
                   (.12, "include:_spf.psm.knowbe4.com"), (.08, "include:_spf.atlassian.net"), (.10, "include:spf.mtasv.net"),
                   (.06, "include:spf.sendinblue.com"), (.05, "include:spf.mailjet.com"), (.06, "{servicenow}"),
                   (.03, "include:outbound.mailhop.org"), (.04, "include:mailsenders.netsuite.com"),
                   (.03, "include:relay.mailchannels.net"), (.02, "include:spf.websitewelcome.com"),
                   (.02, "include:_spf.protonmail.ch")]


class Customer:
    """Domain, source record, and (owner, type, data) of its other records. The order of the random calls is the format."""

    def __init__(self, k, seed, dynamic):
        self.k, self.rng, self.dynamic = k, random.Random(f"{seed}/{k}"), dynamic
        self.domain = f"{self.rng.choice(FIRST)}{self.rng.choice(SECOND)}{k}.example"
        self.records = []
        self.source = self._generate()

    def _address(self):
        return f"198.19.{128 + (self.k * 7 + self.rng.randint(0, 6)) % 128}.{self.rng.randint(1, 254)}"

    def _network(self):
        third = 128 + (self.k * 3 + self.rng.randint(0, 5)) % 128
        return f"198.19.{third}.{self.rng.choice([0, 16, 32, 64, 128, 240])}/{self.rng.choice([24, 28, 29, 30, 27])}"

    def _address6(self):
        return f"2001:db8:c{self.k & 0xfff:03x}:{self.rng.randint(0, 15):x}::{self.rng.randint(1, 65535):x}"

    def _mailbox(self, rng):
        """The provider of the mailboxes: (terms, MX)."""
        k, draw = self.k, rng.random()
        outlook_mx = [(0, f"c{k % 40:03d}.mail.protection.outlook.com")]
        if draw < .36:
            return ["include:_spf.google.com"], [(1, "aspmx.l.google.com"), (5, "alt1.aspmx.l.google.com"),
                                                 (5, "alt2.aspmx.l.google.com"), (10, "alt3.aspmx.l.google.com"),
                                                 (10, "alt4.aspmx.l.google.com")]
        if draw < .80:
            return ["include:spf.protection.outlook.com"], outlook_mx
        if draw < .84:
            return ["include:_spf.google.com", "include:spf.protection.outlook.com"], outlook_mx
        if draw < .88:
            return ([rng.choice(["include:zoho.com", "include:one.zoho.com"])],
                    [(10, "mx.zoho.com"), (20, "mx2.zoho.com"), (50, "mx3.zoho.com")])
        if draw < .91:
            return ["include:mx.ovh.com"], [(1, "mx1.mail.ovh.net")]
        if draw < .94:
            return ["include:secureserver.net"], outlook_mx
        own_mx = [(10, "mail." + self.domain)]
        if draw < .96:
            return ["include:_spf.yandex.net"], own_mx
        if draw < .98:
            return ["include:emailsrvr.com"], own_mx
        self.records.append(("mail2", "A", self._address()))
        return [], own_mx + [(20, "mail2." + self.domain)]

    def _gateway(self, rng, box, mx):
        """A filter in front of the mailboxes."""
        k, draw = self.k, rng.random()
        if draw < .11:
            box.append(rng.choice(["include:_netblocks.mimecast.com",
                                   "include:us._netblocks.mimecast.com include:eu._netblocks.mimecast.com"]))
            mx = [(10, f"{rng.choice(['us', 'eu', 'de', 'au'])}-smtp-inbound-{i}.mimecast.com") for i in (1, 2)]
        elif draw < .20:
            account = 0x2a0000 + k % 40
            box.append(f"include:spf-{account:08x}.pphosted.com")
            mx = [(10, f"mx0{c}-{account:08x}.gslb.pphosted.com") for c in "ab"]
        elif draw < .24:
            box.append("include:spf.messagelabs.com")
        elif draw < .28:
            box.append("include:spf.ess.barracudanetworks.com")
        elif draw < .31:
            box.append("include:spf.tmes.trendmicro.com")
        elif draw < .33:
            box.append("include:spf.hornetsecurity.com")
        if rng.random() < self.dynamic * .15:
            n = k % 20
            box.append(f"exists:%{{i}}.spf.hc{1000 + n:04d}-{n:02d}.iphmx.com")
        return mx

    def _own_terms(self, rng):
        own = []
        if rng.random() < .30:
            own.append(rng.choice(["a", "a", "+a", "a:mail." + self.domain, "a/28" if rng.random() < .3 else "a"]))
        if rng.random() < .42:
            own.append(rng.choice(["mx", "mx", "mx", "+mx", "mx:" + self.domain, "mx/29" if rng.random() < .3 else "mx"]))
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3, 6])):
            own.append("ip4:" + (self._network() if rng.random() < .4 else self._address()))
        for _ in range(rng.choice([0, 0, 0, 1])):
            own.append("ip6:" + (self._address6() if rng.random() < .5 else f"2001:db8:c{self.k & 0xfff:03x}::/48"))
        if rng.random() < .05:
            own.append(f"ip4:10.{rng.randint(0, 255)}.0.0/16")
        if rng.random() < .02:
            own.append(rng.choice(["?", "~", "-"]) + "ip4:" + self._address())
        if rng.random() < .12:
            for i in range(rng.randint(1, 3)):
                name = f"_spf{i + 1}"
                terms = " ".join("ip4:" + (self._network() if rng.random() < .3 else self._address())
                                 for _ in range(rng.randint(3, 12)))
                self.records.append((name, "TXT", "v=spf1 " + terms + rng.choice([" ~all", " -all", " ?all", ""])))
                own.append(f"include:{name}.{self.domain}")
        return own

    def _services(self, rng):
        hub = 7000000 + self.k % 200
        servicenow = ("include:service-now.com" if rng.random() < .6
                      else "a:b.spf.service-now.com a:c.spf.service-now.com")
        words = {"hub": hub, "hub_zone": hub % 15, "servicenow": servicenow}
        chosen = [term.format(**words) for share, term in SERVICES if rng.random() < share]
        if rng.random() < self.dynamic * .6:
            chosen.append(rng.choice(["include:_spf.salesforce.com", "include:_spf.salesforce.com",
                                      "exists:%{i}._spf.mta.salesforce.com"]))
        if rng.random() < self.dynamic * .2:
            chosen.append("include:_spf.sparkpostmail.com")
        rng.shuffle(chosen)
        if rng.random() < .3 and chosen:
            chosen.append(rng.choice(chosen))       # the same include twice: seen a lot
        return chosen

    def _generate(self):
        rng = self.rng
        draw = rng.random()
        self.records.append(("", "A", self._address()))
        if rng.random() < .4:
            self.records.append(("", "AAAA", self._address6()))
        self.records.append(("mail", "A", self._address()))
        if rng.random() < .3:
            self.records.append(("mail", "AAAA", self._address6()))
        box, mx = self._mailbox(_Replay(rng, draw))
        mx = self._gateway(rng, box, mx)
        for preference, host in mx:
            self.records.append(("", "MX", f"{preference} {host}."))
        own = self._own_terms(rng)
        services = self._services(rng)
        terms = rng.choice([own + box + services, box + own + services, box + services + own])
        end = rng.choices(["~all", "-all", "?all", "+all", "all", ""], [56, 38, 3, 0.5, 0.5, 2])[0]
        if rng.random() < .01:
            terms.append("redirect=_spf.google.com")
            end = ""
        record = "v=spf1 " + " ".join(terms + ([end] if end else []))
        if rng.random() < .02:
            record = record.replace("include:", "INCLUDE:", 1)
        return record


class _Replay:
    """A random stream whose first random() was drawn before."""

    def __init__(self, rng, first):
        self._rng, self._first = rng, [first]

    def random(self):
        return self._first.pop() if self._first else self._rng.random()

    def __getattr__(self, name):
        return getattr(self._rng, name)


# (domain, source records, other records, what is wrong)
FAULTS = [
    ("two-records.example", ["v=spf1 ip4:198.19.128.1 -all", "v=spf1 include:_spf.google.com ~all"], [],
     "two SPF records: permerror"),
    ("missing.example", [], [], "no source TXT: none"),
    ("no-spf.example", ["some other text"], [], "TXT but no SPF record: none"),
    ("bad-include.example", ["v=spf1 ip4:198.19.128.2 include:nothing.example -all"], [],
     "include of a name without record: permerror behind ip4"),
    ("syntax.example", ["v=spf1 ip4:198.19.128.3 ipv4:198.19.128.4 -all"], [], "unknown mechanism: permerror for everybody"),
    ("loop.example", ["v=spf1 ip4:198.19.128.5 include:_l1.loop.example -all"],
     [("_l1", "TXT", "v=spf1 ip4:198.19.128.6 include:_l2.loop.example ~all"),
      ("_l2", "TXT", "v=spf1 include:_l1.loop.example ~all")], "include loop"),
    ("servfail.example", ["v=spf1 ip4:198.19.128.7 include:spf.broken-zone.invalid -all"], [],
     "the provider's zone answers SERVFAIL"),
    ("nestedperm.example", ["v=spf1 ip4:198.19.128.8 include:_s.nestedperm.example ip4:198.19.128.9 -all"],
     [("_s", "TXT", "v=spf1 ip4:198.19.128.10 foo:bar ~all")], "syntax error inside an include"),
]


def quoted(text):
    return " ".join(f'"{text[i:i + 255]}"' for i in range(0, len(text), 255))


def customers(count, seed="1", dynamic=.30):
    return [Customer(k, seed, dynamic) for k in range(1, count + 1)]


def zone_text(people, published, faults=False):
    """The zone "example" with everything that the customers publish."""
    out = ["$ORIGIN example.\n$TTL 300\n@ SOA ns.example. hostmaster.example. 1 3600 900 604800 300\n@ NS ns.example.\n"
           "ns A 127.0.0.1\n"]
    for c in people:
        out.append(f"$ORIGIN {c.domain}.\n@ 300 TXT {quoted(published)}\n_xpg8 300 TXT {quoted(c.source)}\n"
                   f'@ 300 TXT "MS=ms{c.k:08d}"\n')
        out += [f"{owner or '@'} 300 {kind} {quoted(data) if kind == 'TXT' else data}\n" for owner, kind, data in c.records]
    for domain, sources, records, why in FAULTS if faults else []:
        out.append(f"; {why}\n$ORIGIN {domain}.\n@ 300 TXT {quoted(published)}\n")
        out += [f"_xpg8 300 TXT {quoted(source)}\n" for source in sources]
        out += [f"{owner} 300 {kind} {quoted(data)}\n" for owner, kind, data in records]
    return "".join(out)


def published_record(form, zone):
    return {"include": "v=spf1 include:%{ir}.%{d}." + zone + " -all",
            "redirect": "v=spf1 redirect=%{ir}.%{d}." + zone}[form]


def provider_zones():
    """[(zone, path)]"""
    return [(path.name.removesuffix(".zone"), path) for path in sorted(PROVIDERS.glob("*.zone"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, metavar="N")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--out", default="out")
    parser.add_argument("--faults", action="store_true", help="add 8 domains whose records are broken")
    parser.add_argument("--dynamic-share", type=float, default=.30)
    parser.add_argument("--zone", default="_spf.flat.example", help="of the published macro record")
    parser.add_argument("--form", default="include", choices=["include", "redirect"])
    options = parser.parse_args()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    people = customers(options.count, options.seed, options.dynamic_share)
    sources = [(c.domain, c.source) for c in people]
    if options.faults:
        sources += [(domain, source) for domain, texts, _, _ in FAULTS for source in texts]
    names = [c.domain for c in people] + ([f[0] for f in FAULTS] if options.faults else [])
    (out / "example.zone").write_text(zone_text(people, published_record(options.form, options.zone), options.faults))
    (out / "domains.txt").write_text("".join(name + "\n" for name in names))
    (out / "sources.tsv").write_text("".join(f"{domain}\t{source}\n" for domain, source in sources))
    print(f"{len(names)} domains, {len(provider_zones()) + 1} zones")


if __name__ == "__main__":
    main()
