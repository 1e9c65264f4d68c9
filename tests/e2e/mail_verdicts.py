"""What the mail programs of Debian 12 make of each outcome of a healthcheck zone.

World(t) makes keys, a zone and a server; spf(), dkim(), dmarc() and arc() judge all outcomes of one kind and return
{outcome: {verifier: verdict}}. What was seen is kept in tests/data/healthcheck_verdicts.json, and compared by
test_healthcheck_mail.py.

  tests/e2e/mail_verdicts.py --bin build/release/bin            prints what differs from the file
  tests/e2e/mail_verdicts.py --bin build/release/bin --write    writes it, and the tables of docs/HEALTHCHECK-MAIL.md
"""
import argparse
import json
import pathlib
import re
import sys

import harness
import mail_world

VERDICTS = harness.DATA / "healthcheck_verdicts.json"
PAGE = harness.ROOT / "docs" / "HEALTHCHECK-MAIL.md"
ZONE = "hc.example"      # not below .test: libunbound answers that itself
SENDER = "192.0.2.25"       # an address of the mail host; loopback is never judged by rspamd

# rspamd's symbols.
SHORT_NAMES = {"R_SPF_ALLOW": "pass", "R_SPF_FAIL": "fail", "R_SPF_SOFTFAIL": "softfail", "R_SPF_NEUTRAL": "neutral",
               "R_SPF_NA": "none", "R_SPF_DNSFAIL": "temperror", "R_SPF_PERMFAIL": "permerror",
               "R_DKIM_ALLOW": "pass", "R_DKIM_REJECT": "fail", "R_DKIM_TEMPFAIL": "temperror",
               "R_DKIM_PERMFAIL": "permerror", "R_DKIM_NA": "none",
               "ARC_ALLOW": "pass", "ARC_INVALID": "invalid", "ARC_NA": "none", "ARC_REJECT": "fail",
               "ARC_DNSFAIL": "temperror", "DMARC_POLICY_ALLOW": "pass", "DMARC_POLICY_REJECT": "reject",
               "DMARC_POLICY_QUARANTINE": "quarantine", "DMARC_POLICY_SOFTFAIL": "fail, p=none", "DMARC_NA": "none",
               "DMARC_BAD_POLICY": "bad record", "DMARC_DNSFAIL": "temperror",
               "DMARC_POLICY_ALLOW_WITH_FAILURES": "pass"}


class World:
    """Keys, configuration, image and server of one healthcheck zone."""

    def __init__(self, t):
        self.t = t
        self.directory = t.directory
        made = self.mailzone("keygen", "keys")
        t.require("keygen", made.returncode == 0, made.stderr)
        self.config = self.directory / "hc.toml"
        self.config.write_text(f"""
[server]
image = "hc.mzi"
[[zone]]
name = "{ZONE}"
type = "healthcheck"
ns = ["ns.{ZONE}"]
hostmaster = "hostmaster@{ZONE}"
key_files = ["keys/id.key"]
dkim_keys = "keys"
mail_hosts = ["mail.{ZONE} {SENDER} 127.0.0.1 ::1"]
hosts = ["ns.{ZONE} 127.0.0.1"]
""")
        t.build("hc.mzi", ["hc.toml"])
        (self.directory / "hc.mzi").chmod(0o644)    # the test's own server may run as anybody
        self.port = harness.free_port()
        _, self.client = t.start_mailzoned(self.directory / "hc.mzi", port=self.port)

    def mailzone(self, *words, timeout=60):
        return self.t.run([self.t.binary("mailzone"), "healthcheck", *words], timeout=timeout)

    def outcomes(self, dimension):
        listed = json.loads(self.mailzone("list", dimension, "--json").stdout)
        return {o["outcome"]: o for o in listed["dimensions"][0]["outcomes"]}

    def mail(self, **settings):
        """A test mail of a new ID -> (octets as sent, ID)."""
        words = [f"--{dimension}={outcome}" for dimension, outcome in settings.items()]
        result = self.mailzone("send", "--config", self.config, "--to", "someone@recipient.test", "--print", *words)
        if result.returncode != 0:
            raise AssertionError(result.stderr)
        message = result.stdout.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return message, re.search(rb"\b([0-9a-f]{32})\.hc\.example\b", message).group(1).decode()


def _short(symbols, prefix):
    found = sorted({SHORT_NAMES.get(s, s) for s in symbols if s.startswith(prefix) and s not in ("DMARC_CHECK",)})
    return " and ".join(found) or "nothing"


def _rspamd(rspamd, message, identity, mail_from=None):
    symbols, _ = rspamd.judge(message, SENDER, f"mail.{ZONE}", mail_from or f"no-reply@{identity}.{ZONE}")
    return symbols


def spf(world, rspamd):
    out = {}
    for outcome in world.outcomes("spf"):
        if outcome == "pass-ptr":       # rests on the reverse zone of the mail host, which is not ours to serve here
            continue
        message, identity = world.mail(spf=outcome)
        out[outcome] = {"rspamd": _short(_rspamd(rspamd, message, identity), "R_SPF")}
    return out


def _opendkim(text):
    if "DKIM verification successful" in text or re.search(r"verification \(.*\) succeeded", text):
        return "pass"
    reason = re.search(r"verification \(.*?\) failed: (.*)", text)
    if reason:
        return reason.group(1).strip()
    return "no signature" if "no signature" in text.lower() or "SETREPLY" not in text and "failed" not in text else text[-100:]


def dkim(world, dkimpy, opendkim, rspamd):
    out = {}
    for outcome in world.outcomes("dkim"):
        message, identity = world.mail(spf="none", dkim=outcome)
        out[outcome] = {"dkimpy": " and ".join(sorted(set(dkimpy.judge(message)["dkim"]))) or "none",
                        "opendkim": _opendkim(opendkim.judge(message)),
                        "rspamd": _short(_rspamd(rspamd, message, identity), "R_DKIM")}
    return out


def dmarc(world, opendmarc, rspamd):
    """Each record with SPF alone, DKIM alone and neither of them passing."""
    out = {}
    for outcome in world.outcomes("dmarc"):
        row = {}
        for case, settings, results in (("spf passes", {"spf": "pass"}, ("pass", "none")),
                                        ("dkim passes", {"spf": "fail", "dkim": "pass"}, ("fail", "pass")),
                                        ("neither", {"spf": "fail"}, ("fail", "none"))):
            message, identity = world.mail(dmarc=outcome, **settings)
            row[f"rspamd, {case}"] = _short(_rspamd(rspamd, message, identity), "DMARC")
            name = f"{identity}.{ZONE}"
            reply = world.client.ask(f"_dmarc.{name} TXT", timeout=0.3)
            texts = [txt_of(r) for r in reply.answer] if reply else []
            if len(texts) == 1:     # the library is given one record; choosing it is the caller's part
                row[f"opendmarc, {case}"] = opendmarc.judge(texts[0], name, name, results[0],
                                                            name if results[1] == "pass" else "", results[1])
        out[outcome] = row
    return out


def arc(world, dkimpy, rspamd):
    out = {}
    for outcome in world.outcomes("arc"):
        message, identity = world.mail(spf="fail", dkim="none", dmarc="reject", arc=outcome)
        out[outcome] = {"dkimpy": dkimpy.judge(message)["arc"],
                        "rspamd": _short(_rspamd(rspamd, message, identity), "ARC")}
    return out


def txt_of(record):
    """The joined character-strings of a TXT record's RDATA."""
    data, at, text = record.rdata, 0, b""
    while at < len(data):
        text += data[at + 1:at + 1 + data[at]]
        at += 1 + data[at]
    return text.decode("latin1")


def judge_all(t):
    world = World(t)
    rspamd = mail_world.Rspamd(t, world.port)
    dkimpy = mail_world.Dkimpy(t, world.port)
    opendkim = mail_world.Opendkim(t, world.port)
    opendmarc = mail_world.Opendmarc()
    return {"spf": spf(world, rspamd), "dkim": dkim(world, dkimpy, opendkim, rspamd),
            "dmarc": dmarc(world, opendmarc, rspamd), "arc": arc(world, dkimpy, rspamd)}


def tables(verdicts, outcomes):
    """Markdown: one table per dimension; what differs from the standard's result is bold."""
    lines = []
    for dimension, rows in verdicts.items():
        verifiers = sorted({v for row in rows.values() for v in row})
        lines += [f"### {dimension}", "", f"| outcome | expected | {' | '.join(verifiers)} |",
                  "|---" * (len(verifiers) + 2) + "|"]
        for outcome, row in rows.items():
            expected = outcomes[dimension][outcome]["expected"]
            cells = [row.get(v, "") for v in verifiers]
            if dimension in ("spf", "dkim", "arc"):
                cells = [c if agrees(expected, c) else f"**{c}**" for c in cells]
            lines.append(f"| `{outcome}` | {expected} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def write_page(verdicts, outcomes):
    text = PAGE.read_text()
    begin, end = "<!-- verdicts: made by tests/e2e/mail_verdicts.py -->\n", "<!-- end of verdicts -->"
    head, rest = text.split(begin)
    PAGE.write_text(head + begin + "\n" + tables(verdicts, outcomes) + "\n" + end + rest.split(end)[1])


def agrees(expected, verdict):
    """Whether a verifier's words mean the expected result. What is no pass may be called by many names."""
    if expected in ("pass", "none", "neutral", "softfail", "temperror"):
        same = {"temperror": ("temperror", "key DNS query failed", "DnsTimeoutError"),
                "none": ("none", "no signature", "nothing")}
        return verdict in same.get(expected, (expected,))
    if expected in ("fail", "permerror"):
        return verdict not in ("pass", "none", "neutral", "softfail")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(harness.ROOT / "build" / "release" / "bin"))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.verbose = options.keep = False
    t = harness.Test("verdicts", options)
    try:
        seen = judge_all(t)
        listed = json.loads(t.run([t.binary("mailzone"), "healthcheck", "list", "--json"]).stdout)["dimensions"]
        outcomes = {d["dimension"]: {o["outcome"]: o for o in d["outcomes"]} for d in listed}
    finally:
        t.finish()
    if options.write:
        VERDICTS.write_text(json.dumps(seen, indent=1) + "\n")
        write_page(seen, outcomes)
        return 0
    for line in differences(seen, json.loads(VERDICTS.read_text())):
        print(line)
    return 0


def differences(seen, known):
    """Lines for each verdict that is not the one in the file."""
    for dimension, rows in seen.items():
        for outcome, row in rows.items():
            for verifier, verdict in row.items():
                before = known.get(dimension, {}).get(outcome, {}).get(verifier, "not judged")
                if verdict != before:
                    yield f"{dimension}={outcome}: {verifier} said {before!r}, now {verdict!r}"


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    sys.exit(main())
