"""Real mail programs on loopback for the healthcheck tests: Postfix, OpenDKIM, rspamd, libopendmarc, dkimpy, pyspf.

Each has its own configuration in the test's directory and asks the DNS server that the test names. Whatever is
started is stopped at the end of the test, by pid.
"""
import base64
import ctypes
import http.client
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import textwrap

import harness

SOURCE = "127.0.0.1"        # where all mail comes from


def need(program):
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not found:
        raise harness.Skip(f"{program} is not installed")
    return found


# ---- Postfix

class Postfix:
    """A receiving Postfix with its own configuration, queue and ports; mail for @recipient.test ends in files.

    reject@, defer@ and late-reject@ recipient.test get 5xx to RCPT, 4xx to RCPT and 5xx to the message.
    """

    def __init__(self, t):
        if os.geteuid() != 0:
            raise harness.Skip("Postfix needs root")
        need("postfix")
        self.directory = t.new_directory()
        self.port, self.tls_port = harness.free_port(), harness.free_port()
        self.mailbox = self.directory / "mail"
        self.log_path = self.directory / "log" / "postfix.log"
        self._configure(t)
        t.callback(self.stop)
        result = self._postfix("start")
        if result.returncode != 0:
            raise AssertionError(f"postfix start: {result.stdout}{result.stderr}{self.log()}")
        if not harness.wait_until(lambda: all(self._greets(p) for p in (self.port, self.tls_port)), 20):
            raise AssertionError(f"postfix does not answer: {self.log()}")

    def _configure(self, t):
        d = self.directory
        for name in ("etc", "queue", "data", "log", "mail"):
            (d / name).mkdir()
        owner = pwd.getpwnam("postfix")
        os.chown(d / "data", owner.pw_uid, owner.pw_gid)
        os.chown(d / "mail", owner.pw_uid, owner.pw_gid)
        make_certificate(t, d / "etc", "mx.recipient.test")
        (d / "etc" / "recipients").write_text("reject@recipient.test REJECT policy says no\n"
                                              "defer@recipient.test DEFER try again\n")
        (d / "etc" / "late").write_text("late-reject@recipient.test REJECT the content is refused\n")
        (d / "etc" / "main.cf").write_text(textwrap.dedent(f"""\
            compatibility_level = 3.6
            queue_directory = {d}/queue
            data_directory = {d}/data
            daemon_directory = /usr/lib/postfix/sbin
            command_directory = /usr/sbin
            mail_owner = postfix
            setgid_group = postdrop
            maillog_file = {self.log_path}
            maillog_file_prefixes = {d}
            myhostname = mx.recipient.test
            inet_interfaces = all
            inet_protocols = all
            mynetworks = 127.0.0.0/8 [::1]/128
            mydestination =
            alias_maps =
            alias_database =
            virtual_mailbox_domains = recipient.test
            virtual_mailbox_maps = static:box/
            virtual_mailbox_base = {d}/mail
            virtual_uid_maps = static:{owner.pw_uid}
            virtual_gid_maps = static:{owner.pw_gid}
            virtual_minimum_uid = 1
            smtpd_relay_restrictions = reject_unauth_destination
            smtpd_recipient_restrictions = check_recipient_access texthash:{d}/etc/recipients
            smtpd_end_of_data_restrictions = check_recipient_access texthash:{d}/etc/late
            smtpd_peername_lookup = no
            smtpd_tls_cert_file = {d}/etc/cert.pem
            smtpd_tls_key_file = {d}/etc/key.pem
            smtpd_tls_loglevel = 1
            """))
        services = [f"127.0.0.1:{self.port} inet n - n - - smtpd -o smtpd_tls_security_level=none",
                    f"[::1]:{self.port} inet n - n - - smtpd -o smtpd_tls_security_level=none",
                    f"127.0.0.1:{self.tls_port} inet n - n - - smtpd -o smtpd_tls_security_level=may",
                    "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
                    "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
                    "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
                    "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush",
                    "proxymap unix - - n - - proxymap", "error unix - - n - - error", "retry unix - - n - - error",
                    "discard unix - - n - - discard", "virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil",
                    "postlog unix-dgram n - n - 1 postlogd"]
        (d / "etc" / "master.cf").write_text("\n".join(services) + "\n")

    def _postfix(self, command):
        return subprocess.run([need("postfix"), "-c", self.directory / "etc", command], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    @staticmethod
    def _greets(port):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as sock:
                sock.settimeout(2)
                return sock.recv(4) == b"220 "
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def received(self):
        """Delivered mails, in the order of delivery, as octets."""
        box = self.mailbox / "box" / "new"
        files = sorted(box.iterdir(), key=lambda p: p.stat().st_mtime_ns) if box.exists() else []
        return [p.read_bytes() for p in files]

    def wait_received(self, count, seconds=10):
        return harness.wait_until(lambda: len(self.received()) >= count, seconds) and self.received()

    def stop(self):
        self._postfix("stop")
        pid_file = self.directory / "queue" / "pid" / "master.pid"
        if pid_file.exists():
            text = pid_file.read_text().strip()
            if text:
                harness.wait_until(lambda: not pathlib.Path(f"/proc/{text}").exists(), 10)


def make_certificate(t, directory, name):
    """cert.pem and key.pem of a self-signed certificate, which is its own authority."""
    result = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                             "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
                            capture_output=True, text=True, timeout=60)
    t.require("openssl makes a certificate", result.returncode == 0, result.stderr)


def dkim_text(mail):
    """A delivered mail as it was sent: Postfix adds fields of its own on top, and stores line ends as LF."""
    lines = mail.replace(b"\r\n", b"\n")
    own = (b"Return-Path:", b"X-Original-To:", b"Delivered-To:", b"Received:")
    while lines.startswith(own):
        end = lines.index(b"\n") + 1
        while lines[end:end + 1] in (b" ", b"\t"):
            end = lines.index(b"\n", end) + 1
        lines = lines[end:]
    return lines.replace(b"\n", b"\r\n")


# ---- verifiers

class Opendkim:
    """The `opendkim -t` of Debian: one message per run, its own resolver pointed at ours."""

    def __init__(self, t, dns_port):
        self.program = need("opendkim")
        self.directory = t.new_directory()
        (self.directory / "conf").write_text(textwrap.dedent(f"""\
            Mode v
            Syslog no
            Socket inet:{harness.free_port()}@127.0.0.1
            Nameservers 127.0.0.1@{dns_port}
            TrustAnchorFile /dev/null
            DNSTimeout 4
            """))

    def judge(self, message):
        path = self.directory / "mail.eml"
        path.write_bytes(message)
        result = subprocess.run([self.program, "-x", self.directory / "conf", "-t", path, "-vvv"],
                                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        return (result.stdout + result.stderr).strip()


class Rspamd:
    """rspamd with only the modules that judge authentication, over its HTTP interface."""

    def __init__(self, t, dns_port):
        program = need("rspamd")
        self.directory = t.new_directory()
        self.directory.chmod(0o777)
        self.port = harness.free_port()
        d = self.directory
        (d / "tld").write_text("test\nexample\n")      # the whole list takes rspamd 20 seconds
        (d / "rspamd.conf").write_text(textwrap.dedent(f"""\
            options {{
              pidfile = "{d}/rspamd.pid"; filters = "dkim"; temp_dir = "{d}"; hs_cache_dir = "{d}"; history_file = "{d}/h";
              local_addrs = []; tld = "{d}/tld"; url_tld = "{d}/tld";
              dns {{ nameserver = ["127.0.0.1:{dns_port}:10"]; timeout = 1.5s; retransmits = 2; sockets = 4; }}
              task_timeout = 20s; check_all_filters = true; explicit_modules = ["dkim"];
            }}
            logging {{ type = "file"; filename = "{d}/rspamd.log"; level = "info"; }}
            worker "normal" {{ bind_socket = "127.0.0.1:{self.port}"; count = 1; }}
            spf {{ spf_cache_size = 0; spf_cache_expire = 0; disable_ipv6 = true; }}
            dkim {{ dkim_cache_size = 1; time_jitter = 1m; trusted_only = false; skip_multi = false; }}
            arc {{ symbols_enabled = true; }}
            dmarc {{ actions = {{ quarantine = "add_header"; reject = "reject"; }} }}
            actions {{ reject = 1000; add_header = 500; greylist = 400; }}
            modules {{
              path = "/usr/share/rspamd/plugins/spf.lua"; path = "/usr/share/rspamd/plugins/dmarc.lua";
              path = "/usr/share/rspamd/plugins/arc.lua";
            }}
            """))
        self.process = t.start([program, "-f", "-i", "-c", d / "rspamd.conf"], directory=d)
        if not harness.wait_until(self._alive, 30):
            log = (d / "rspamd.log").read_text()[-3000:] if (d / "rspamd.log").exists() else ""
            raise AssertionError(f"rspamd does not answer: {self.process.log()[-2000:]}{log}")

    def _alive(self):
        try:
            return self._request("GET", "/ping", b"", {})[0] == 200
        except OSError:
            return False

    def _request(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def judge(self, message, ip, helo, mail_from, rcpt="someone@recipient.test"):
        """-> sorted names of the symbols about authentication, and the action."""
        status, body = self._request("POST", "/checkv2", message,
                                     {"IP": ip, "Helo": helo, "From": mail_from, "Rcpt": rcpt, "Hostname": "mail.hc.example"})
        if status != 200:
            raise AssertionError(f"rspamd: {status} {body[:500]}")
        answer = json.loads(body)
        prefixes = ("R_SPF", "R_DKIM", "DMARC", "ARC", "SPF", "DKIM")
        return sorted(s for s in answer.get("symbols", {}) if s.startswith(prefixes)), answer.get("action")


class Opendmarc:
    """Debian's libopendmarc: told the results of SPF and DKIM and the record, it says what to enforce."""

    POLICIES = {14: "absent", 15: "pass", 16: "reject", 17: "quarantine", 18: "fail, p=none"}

    def __init__(self):
        try:
            self.opendmarc = ctypes.CDLL("libopendmarc.so.2")
        except OSError:
            raise harness.Skip("libopendmarc is not installed") from None
        self.opendmarc.opendmarc_policy_connect_init.restype = ctypes.c_void_p

    def judge(self, record, from_domain, mail_from_domain, spf, dkim_domain, dkim):
        lib, text = self.opendmarc, lambda s: ctypes.c_char_p(s.encode())
        context = ctypes.c_void_p(lib.opendmarc_policy_connect_init(text(SOURCE), 0))
        try:
            lib.opendmarc_policy_store_from_domain(context, text(from_domain))
            # DMARC_POLICY_SPF_OUTCOME_*, DMARC_POLICY_DKIM_OUTCOME_* of dmarc.h
            code = {"none": 0, "pass": 1, "fail": 2, "softfail": 2, "permerror": 2, "temperror": 3, "neutral": 4}[spf]
            lib.opendmarc_policy_store_spf(context, text(mail_from_domain), code, 1, text(spf))
            if dkim_domain:
                code = {"none": 0, "pass": 1, "fail": 2, "permerror": 2, "temperror": 3, "neutral": 4}[dkim]
                lib.opendmarc_policy_store_dkim(context, text(dkim_domain), text("s"), code, text(dkim))
            stored = lib.opendmarc_policy_store_dmarc(context, text(record), text(from_domain), None)
            if stored != 0:
                return "bad-record"
            return self.POLICIES.get(lib.opendmarc_get_policy_to_enforce(context), "unknown")
        finally:
            lib.opendmarc_policy_connect_shutdown(context)


class Dkimpy:
    """Debian's dkimpy in a process of its own (mail_oracle.py): DKIM signatures and ARC chains."""

    def __init__(self, t, dns_port):
        oracle = pathlib.Path(__file__).with_name("mail_oracle.py")
        self.process = subprocess.Popen(["/usr/bin/python3", oracle, str(dns_port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        t.callback(self._stop)
        if self.process.stdout.readline() != b"ready\n":
            raise harness.Skip("python3-dkim or python3-dnspython is not installed: " +
                               self.process.stderr.read().decode()[-300:])

    def judge(self, message):
        """-> {"dkim": ["pass", "fail", or the error's name, per signature], "arc": "none", "pass" ...}"""
        self.process.stdin.write(base64.b64encode(message) + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def _stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
