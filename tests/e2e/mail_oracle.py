#!/usr/bin/python3
"""What dkimpy says: a mail in Base64 per line on standard input, a JSON object per line on standard output.

  mail_oracle.py DNS_PORT        the server on 127.0.0.1 that is asked for key records

Needs Debian's python3-dkim, python3-dnspython and, for Ed25519, python3-nacl.
"""
import base64
import email
import json
import sys

import dkim
import dns.exception
import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = int(sys.argv[1])
resolver.lifetime = resolver.timeout = 2.0


def txt(name, timeout=2):
    try:
        return b"".join(resolver.resolve(name.decode(), "TXT")[0].strings)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except dns.exception.DNSException as error:     # SERVFAIL, silence
        raise dkim.DnsTimeoutError(str(error)) from error


def verdict(check):
    try:
        return check()
    except dkim.DKIMException as error:
        return type(error).__name__
    except Exception as error:  # dkimpy lets errors of its helpers through
        return "raised " + type(error).__name__


def arc(message):
    cv, _, _ = dkim.ARC(message, timeout=2).verify(dnsfunc=txt)
    return {dkim.CV_Pass: "pass", dkim.CV_None: "none"}.get(cv, "fail")


print("ready", flush=True)
for line in sys.stdin:
    message = base64.b64decode(line)
    signatures = sum(1 for name in email.message_from_bytes(message).keys() if name.lower() == "dkim-signature")
    signed = [verdict(lambda: "pass" if dkim.DKIM(message, timeout=2).verify(idx=index, dnsfunc=txt) else "fail")
              for index in range(signatures)]
    print(json.dumps({"dkim": signed, "arc": verdict(lambda: arc(message))}), flush=True)
