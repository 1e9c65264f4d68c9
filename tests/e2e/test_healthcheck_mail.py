"""Test mails of healthcheck zones: sent to a real Postfix, and judged by the verifiers of Debian.

The expected verdicts are in tests/data/healthcheck_verdicts.json (mail_verdicts.py writes it); docs/HEALTHCHECK-MAIL.md
shows them as tables.
"""
import email
import email.policy
import json
import re

import harness
import mail_verdicts
import mail_world

OK, FINDINGS, USAGE, TEMPORARY = 0, 1, 2, 4


def known(dimension):
    return json.loads(mail_verdicts.VERDICTS.read_text())[dimension]


def compare(t, dimension, seen):
    before = known(dimension)
    for outcome, row in seen.items():
        for verifier, verdict in row.items():
            t.equal(f"{dimension}={outcome}: {verifier}", verdict, before.get(outcome, {}).get(verifier, "not judged"))
    t.equal(f"{dimension}: all outcomes are judged", sorted(seen), sorted(before))


def test_spf_verdicts(t):
    world = mail_verdicts.World(t)
    compare(t, "spf", mail_verdicts.spf(world, mail_world.Rspamd(t, world.port)))


def test_dkim_verdicts(t):
    world = mail_verdicts.World(t)
    seen = mail_verdicts.dkim(world, mail_world.Dkimpy(t, world.port), mail_world.Opendkim(t, world.port),
                              mail_world.Rspamd(t, world.port))
    compare(t, "dkim", seen)
    # Whatever the file says: signatures are right where they should be, for three implementations.
    for outcome, row in seen.items():
        if outcome.startswith("pass") or outcome in ("testing", "subdomain-identity", "dual", "parent-domain"):
            t.check(f"{outcome} passes everywhere", set(row.values()) == {"pass"}, row)
        if outcome in ("wrong-key", "body-altered", "header-altered", "revoked", "missing", "bad-base64"):
            t.check(f"{outcome} passes nowhere", "pass" not in row.values(), row)


def test_dmarc_and_arc_verdicts(t):
    world = mail_verdicts.World(t)
    rspamd = mail_world.Rspamd(t, world.port)
    compare(t, "dmarc", mail_verdicts.dmarc(world, mail_world.Opendmarc(), rspamd))
    compare(t, "arc", mail_verdicts.arc(world, mail_world.Dkimpy(t, world.port), rspamd))


def send(world, *words, to="someone@recipient.test"):
    """mailzone healthcheck send --json -> (exit code, document or None, standard error)"""
    result = world.mailzone("send", "--config", world.config, "--to", to, "--json", "--timeout", "20", *words)
    return result.returncode, json.loads(result.stdout) if result.stdout else None, result.stderr


def test_send_to_postfix(t):
    world = mail_verdicts.World(t)
    postfix = mail_world.Postfix(t)
    dkimpy = mail_world.Dkimpy(t, world.port)
    plain, tls = f"127.0.0.1:{postfix.port}", f"127.0.0.1:{postfix.tls_port}"
    good = ("--spf=pass", "--dkim=pass", "--dmarc=reject")

    code, sent, _ = send(world, "--server", plain, *good, "--subject", "Grüße", "--to-name", 'Some "body", else')
    t.equal("accepted: exit code", code, OK)
    smtp = sent["smtp"]
    t.equal("accepted: result", (smtp["result"], smtp["code"], smtp["stage"], smtp["tls"], sent["fits"]),
            ("accepted", 250, "message", False, True))
    t.equal("expected verdict", sent["expected"]["verdict"], "accept")
    mails = postfix.wait_received(1)
    t.require("the mail arrives", mails, postfix.log()[-2000:])
    raw = mails[0]
    t.check("envelope sender", f"Return-Path: <{sent['mail_from']}>".encode() in raw, raw[:500])
    t.check("HELO", f"from {sent['helo']} ".encode() in raw, raw[:500])
    t.equal("dkimpy on what Postfix delivered", dkimpy.judge(mail_world.dkim_text(raw))["dkim"], ["pass"])
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    t.equal("From", parsed["From"].addresses[0].addr_spec, sent["from"])
    t.equal("Subject is decoded", parsed["Subject"], "Grüße")
    t.equal("To", (parsed["To"].addresses[0].display_name, parsed["To"].addresses[0].addr_spec),
            ('Some "body", else', "someone@recipient.test"))
    t.equal("no defects", [str(d) for part in parsed.walk() for d in part.defects], [])
    t.equal("parts", [part.get_content_type() for part in parsed.walk()],
            ["multipart/alternative", "text/plain", "text/html"])
    body = parsed.get_body(("plain",)).get_content()
    t.check("the text tells what is tested", "dkim = pass" in body and sent["id"] in body, body)
    t.check("the HTML part tells it, too", "DMARC passes." in parsed.get_body(("html",)).get_content())
    for name in ("Date", "Message-ID", "List-Unsubscribe", "Auto-Submitted", "MIME-Version"):
        t.equal(f"one {name}", len(parsed.get_all(name)), 1)

    code, sent, err = send(world, "--server", tls, "--verbose", *good)
    t.equal("STARTTLS is used", (code, sent["smtp"]["tls"]), (OK, True))
    t.check("the certificate is judged, not enforced", "self" in sent["smtp"]["certificate"], sent["smtp"])
    t.check("the dialogue is shown", "> MAIL FROM:<" in err and "< 220 2.0.0 Ready to start TLS" in err, err)
    t.check("Postfix saw TLS", "TLS connection established" in postfix.log())
    code, sent, _ = send(world, "--server", plain, *good, "--contact", '"a>b c"@abuse.test')
    raw = (postfix.wait_received(3) or [b""])[-1]
    t.check("an odd contact stays within its URI", b"<mailto:%22a%3Eb%20c%22@abuse.test?subject=unsubscribe>" in raw, raw)
    authority = postfix.directory / "etc" / "cert.pem"
    _, sent, _ = send(world, "--server", tls, "--ca-file", authority, *good)
    t.check("a good authority, another name", "another name" in sent["smtp"]["certificate"], sent["smtp"])
    _, sent, _ = send(world, "--server", tls, "--tls=none", *good)
    t.equal("--tls=none", (sent["smtp"]["result"], sent["smtp"]["tls"]), ("accepted", False))
    before = postfix.wait_received(5)
    for what, words in (("no STARTTLS", (plain,)), ("an unknown authority", (tls,)),
                        ("another name", (tls, "--ca-file", authority))):
        code, sent, _ = send(world, "--tls=required", "--server", *words, *good)
        t.equal(f"--tls=required with {what}", (code, sent["smtp"]["result"]), (TEMPORARY, "no-tls"))
    t.equal("nothing was sent without TLS", len(postfix.received()), len(before))

    _, sent, _ = send(world, "--server", f"[::1]:{postfix.port}", "--helo=literal", "--source", "::1", *good)
    t.equal("IPv6", (sent["smtp"]["result"], sent["smtp"]["address"], sent["helo"]), ("accepted", "::1", "[IPv6:::1]"))
    t.check("Postfix saw ::1", "[IPv6:::1]" in (postfix.wait_received(6) or [b""])[-1].decode(), postfix.log()[-500:])


def test_replies_of_postfix(t):
    world = mail_verdicts.World(t)
    postfix = mail_world.Postfix(t)
    server = ("--server", f"127.0.0.1:{postfix.port}")
    bad = ("--spf=fail", "--dmarc=reject")
    for to, words, want in (
            ("reject@recipient.test", bad, (OK, "rejected", 554, "RCPT TO", True)),
            ("reject@recipient.test", (), (FINDINGS, "rejected", 554, "RCPT TO", False)),
            ("late-reject@recipient.test", bad, (OK, "rejected", 554, "message", True)),
            ("defer@recipient.test", (), (TEMPORARY, "deferred", 450, "RCPT TO", False)),
            ("defer@recipient.test", ("--spf=temperror-servfail",), (OK, "deferred", 450, "RCPT TO", True)),
            ("someone@recipient.test", bad, (FINDINGS, "accepted", 250, "message", False)),
            ("someone@elsewhere.test", (), (FINDINGS, "rejected", 554, "RCPT TO", False))):
        code, sent, _ = send(world, *server, *words, to=to)
        smtp = sent["smtp"]
        t.equal(f"{to} {' '.join(words)}", (code, smtp["result"], smtp["code"], smtp["stage"], sent["fits"]), want)
    _, sent, _ = send(world, *server, *bad, to="reject@recipient.test")
    t.check("the reply is shown", "policy says no" in sent["smtp"]["reply"], sent["smtp"])
    result = world.mailzone("send", "--config", world.config, "--to", "reject@recipient.test", *server, *bad)
    t.check("a right rejection is called right", "the rejection is the right result" in result.stdout, result.stdout)

    code, sent, _ = send(world, "--server", f"127.0.0.1:{harness.free_port()}")
    t.equal("nobody listens", (code, sent["smtp"]["result"]), (TEMPORARY, "unreachable"))
    # The MX of the recipient's domain, asked from our own server: IDs have good and bad ones.
    for mx, want, text in (("null", USAGE, "accepts no mail"), ("invalid-host", USAGE, "has an address"),
                           ("temperror-servfail", TEMPORARY, "MX of")):
        made = world.mailzone("new", "--config", world.config, f"--mx={mx}", "--id-only").stdout.strip()
        code, _, err = send(world, "--forwarder", f"127.0.0.1@{world.port}", to=f"x@{made}.{mail_verdicts.ZONE}")
        t.check(f"recipient's MX: {mx}", code == want and text in err, f"exit {code}: {err}")
    mark = len(postfix.log())
    for option, text in (("--to", "x@recipient.test\r\nRCPT TO:<y@recipient.test>"), ("--to", "x@recipient.test> SIZE=1"),
                         ("--subject", "a\r\nBcc: y@recipient.test"), ("--from-name", "a\nb"), ("--contact", "a@b\r\n.\r\n"),
                         ("--server", f"127.0.0.1:{postfix.port}/x\r\nNOOP"), ("--source", "127.0.0.1\r\n")):
        words = {"--to": "x@recipient.test", "--server": server[1], option: text}
        result = world.mailzone("send", "--config", world.config, *(w for pair in words.items() for w in pair))
        t.equal(f"refused: {option} {text!r}", result.returncode, USAGE)
    t.check("none of it reached Postfix", "connect from" not in postfix.log()[mark:])

    matrix = ("matrix", "--config", world.config, "--set", "basic", "--pause", "0")
    result = world.mailzone(*matrix, "--to", "someone@recipient.test", *server, "--json")
    t.equal("matrix: a receiver that takes all is found out", result.returncode, FINDINGS)
    table = json.loads(result.stdout)
    t.equal("matrix: totals", (table["sent"], table["accepted"], table["fitting"]), (11, 11, 8))
    t.equal("matrix: what should have been rejected",
            sum(r["expected"]["verdict"] == "reject" for r in table["results"]), 3)
    result = world.mailzone(*matrix, "--to", "reject@recipient.test", *server)
    t.check("matrix: goes on after rejections", "11 of 11 sent: 0 accepted, 11 rejected" in result.stdout, result.stdout)
    result = world.mailzone(*matrix, "--to", "x@recipient.test", "--server", f"127.0.0.1:{harness.free_port()}")
    t.equal("matrix: gives up when nobody listens", result.returncode, TEMPORARY)


def test_new_and_explain(t):
    world = mail_verdicts.World(t)
    result = world.mailzone("new", "--config", world.config, "--spf=pass-include", "--dkim=dual", "--dmarc=quarantine",
                            "--mx=pass", "--json")
    t.require("new", result.returncode == 0, result.stderr)
    made = json.loads(result.stdout)
    checked = 0
    for row in made["answers"]:
        for record in row["records"]:
            if record["type"] != "TXT":
                continue
            reply = world.client.ask(f"{record['name']} TXT")
            texts = [mail_verdicts.txt_of(r) for r in reply.answer] if reply else []
            shown = re.sub(r"\\(.)", r"\1", "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', record["data"])))
            checked += t.check(f"the server answers {record['name']} TXT", shown in texts, f"{shown} {texts}")
    t.check("some records were compared", checked >= 4, checked)
    result = world.mailzone("new", "--config", world.config, "--spf=temperror-servfail", "--dkim=temperror-silence")
    t.check("faults are shown in words", "IN TXT SERVFAIL" in result.stdout and "IN TXT no answer" in result.stdout,
            result.stdout)

    explained = json.loads(world.mailzone("explain", "--config", world.config, made["from"], "--json").stdout)
    t.equal("explain: an address", (explained["id"], explained["status"]), (made["id"], "valid"))
    t.equal("explain: settings", {d: s["outcome"] for d, s in explained["settings"].items() if s["code"]},
            {"spf": "pass-include", "dkim": "dual", "dmarc": "quarantine", "mx": "pass"})
    t.equal("explain: expected", explained["expected"]["verdict"], "accept")
    for what, words, code, status in (
            ("upper case", (made["id"].upper(),), OK, "valid"),
            ("forged", (made["id"][:-1] + ("0" if made["id"][-1] != "0" else "1"),), FINDINGS, "forged"),
            ("expired", (made["id"], "--now", str(made["valid_until"] + 120)), FINDINGS, "expired"),
            ("from the future", (made["id"], "--now", str(made["valid_until"] - 8 * 86400)), FINDINGS, "from-future"),
            ("no ID", ("hello",), FINDINGS, "malformed")):
        result = world.mailzone("explain", "--config", world.config, "--json", *words)
        t.equal(f"explain: {what}", (result.returncode, json.loads(result.stdout)["status"]), (code, status))
    result = world.mailzone("explain", made["id"], "--json")
    t.equal("explain without key", json.loads(result.stdout)["status"], "unverified")

    for words, code, text in (
            (("new", "--config", world.config, "--spf=softfial"), USAGE, "did you mean 'softfail'?"),
            (("new",), USAGE, "--config FILE is missing"),
            (("new", "--config", "absent.toml"), 3, "absent.toml"),
            (("new", "--config", world.config, "--zone", "hc.exampel"), USAGE, "did you mean 'hc.example'?"),
            (("keygen", "keys"), USAGE, "never overwritten"),
            (("list", "dkmi"), USAGE, "did you mean 'dkim'?"),
            (("matrix", "--set", "basci"), USAGE, "did you mean 'basic'?"),
            (("send", "--config", world.config, "--id", made["id"], "--spf=pass"), USAGE, "--id says already")):
        result = world.mailzone(*words)
        t.check(" ".join(str(w) for w in words), result.returncode == code and text in result.stderr,
                f"exit {result.returncode}\n{result.stderr}")
    mode = (world.directory / "keys" / "id.key").stat().st_mode & 0o777
    t.equal("the ID key is secret", oct(mode), "0o600")
    (world.directory / "keys" / "id.key").write_text("not a key\n")
    result = world.mailzone("new", "--config", world.config)
    t.check("a wrong key file", result.returncode == USAGE and "keygen" in result.stderr, result.stderr)
