"""Independent implementations of check_host() (RFC 7208), with and without the limits on DNS lookups.

  PySpf      python3-spf in this process; every question goes through a Receiver (spf_receiver.py)
  MailSpf    Mail::SPF in a perl process; its questions go to the port of a Router

check(ip, sender, helo, limits) -> Outcome. Without limits a record that reaches its own name again through include or
redirect is a permerror at that point: the one addition to RFC 7208 that an evaluation without limits needs.

Known errors of the oracles, for which their callers must allow:
  pyspf      "include:" of the record's own name is permerror, also when an earlier term matches;
             ptr is temperror when the address of a PTR name cannot be asked (section 5.5: that name is skipped);
             accepts %{d0}, a macro without its brace, and control characters in unknown modifiers;
             names over 253 octets lose one label only
  Mail::SPF  short and mapped ip6 ranges match IPv4 clients; %{L} is not escaped; macros are not looked at before they
             are needed; mx stops at the first exchange that matches; exceptions on empty or long labels; loops without
             limits end in "deep recursion"
"""
import dataclasses
import json
import pathlib
import socket
import subprocess
import sys

sys.path.append("/usr/lib/python3/dist-packages")
import spf  # noqa: E402  (Debian's package, also under another Python)

import spf_world  # noqa: E402

WITH_LIMITS = dict(MAX_LOOKUP=10, MAX_MX=10, MAX_PTR=10, MAX_CNAME=10, MAX_RECURSION=20, MAX_VOID_LOOKUPS=2)
WITHOUT = dict(MAX_LOOKUP=10**8, MAX_MX=10**8, MAX_PTR=10**8, MAX_CNAME=1000, MAX_RECURSION=120, MAX_VOID_LOOKUPS=10**8)
KINDS = {"A": spf_world.A, "AAAA": spf_world.AAAA, "MX": spf_world.MX, "PTR": spf_world.PTR, "TXT": spf_world.TXT}


@dataclasses.dataclass
class Outcome:
    result: str
    explanation: str = ""   # of a fail
    detail: str = ""        # what the engine says, for people
    lookups: int = 0
    void_lookups: int = 0

    def over_limits(self):
        return self.lookups > WITH_LIMITS["MAX_LOOKUP"] or self.void_lookups > WITH_LIMITS["MAX_VOID_LOOKUPS"]


def _guard_recursion():
    original = spf.query.check1

    def check1(query, record, domain, recursion):
        stack = query.__dict__.setdefault("_names", [])
        name = (domain or "").lower().rstrip(".")
        if spf.MAX_LOOKUP > 10 and name in stack:
            raise spf.PermError(f"{name} reaches itself")
        stack.append(name)
        try:
            return original(query, record, domain, recursion)
        finally:
            stack.pop()
    spf.query.check1 = check1


_guard_recursion()


class PySpf:
    def __init__(self, receiver):
        self.receiver = receiver

    def lookup(self, name, kind, strict=True, timeout=0):
        number = KINDS.get(kind)
        wire = spf_world.wire_name(name)
        if number is None or wire is None:
            return []
        rcode, records = self.receiver.ask(wire, number)
        if rcode not in (0, spf_world.NXDOMAIN):
            if kind == "PTR":
                return []       # section 5.5: an error here is no match
            raise spf.TempError(f"DNS rcode {rcode} for {kind} of {name}")
        key, out = (name, kind), []
        for rdata, message, offset in records:
            if kind == "TXT":
                out.append((key, spf_world.strings(rdata)))
            elif kind == "A":
                out.append((key, socket.inet_ntoa(rdata)))
            elif kind == "AAAA":
                out.append((key, socket.inet_ntop(socket.AF_INET6, rdata)))
            elif kind == "MX":
                out.append((key, (rdata[0] << 8 | rdata[1], spf_world.expand_name(message, offset + 2))))
            else:
                out.append((key, spf_world.expand_name(message, offset)))
        return out

    def check(self, ip, sender, helo, limits):
        for name, value in (WITH_LIMITS if limits else WITHOUT).items():
            setattr(spf, name, value)
        spf.DNSLookup = self.lookup
        query = spf.query(i=ip, s=sender, h=helo, strict=True, receiver=None)
        query.set_default_explanation("DEFAULT")
        try:
            result, _, text = query.check()
        except (RecursionError, AssertionError) as error:
            result, text = "permerror", type(error).__name__
        except Exception as error:  # an engine that breaks is a finding, not the end of the run
            result, text = "exception", f"{type(error).__name__}: {error}"
        return Outcome(result, text if result == "fail" else "", text, getattr(query, "lookups", 0), query.void_lookups)


class MailSpf:
    """Mail::SPF. `port`: of a Router on 127.0.0.1."""

    def __init__(self, port):
        script = pathlib.Path(__file__).with_name("spf_oracle.pl")
        self.process = subprocess.Popen(["perl", str(script), "127.0.0.1", str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def check(self, ip, sender, helo, limits):
        self.process.stdin.write(json.dumps({"ip": ip, "sender": sender, "helo": helo, "limits": bool(limits)}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("Mail::SPF has ended")
        return Outcome(**json.loads(line))

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
