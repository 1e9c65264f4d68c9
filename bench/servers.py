"""The servers that are compared, each started the same way for a workload: ours, rbldnsd, NSD, Knot, and bare UDP echoes.

A Setup knows how to start one server for one workload and how to give it new data while it runs; a Cannot stands for a
server that cannot hold the workload, with the reason that the table shows.
"""
import os
import shutil
import subprocess
import sys
import time

from measure import HERE, Probe, Server, free_port, program, replay_config, timed
from workload import ZONES

RBLDNSD, NSD, KNOT = "/usr/sbin/rbldnsd", "/usr/sbin/nsd", "/usr/sbin/knotd"
DATASETS = {"domains": "combined", "list": "ip4set", "dnset": "dnset", "names": "generic"}
MTIME = 1700000000      # of data files: rbldnsd's and our SOA serial, so that a new version shows
ECHOES = ("echo (recvmmsg)", "echo (io_uring)")

NSD_CONFIG = """server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  do-ip6: no
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  logfile: "{directory}/nsd.log"
  rrl-ratelimit: 0
  minimal-responses: yes
  tcp-count: 2000
remote-control:
  control-enable: no
zone:
  name: "{zone}"
  zonefile: "{file}"
"""

KNOT_CONFIG = """server:
    rundir: "{directory}"
    listen: "127.0.0.1@{port}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-max-clients: 2000
database:
    storage: "{directory}"
log:
  - target: "{directory}/knot.log"
    any: warning
zone:
  - domain: "{zone}"
    file: "{file}"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
"""


class Workload:
    """`kind` and `count` as in workload.py; `bind`: other servers get it as a zone file; `minimal`: no NS records in
    positive answers, as those servers do. `swap_only`: only the replacement of our image is measured."""

    def __init__(self, kind, count, bind=False, queries=200000, swap_only=False):
        self.kind, self.count, self.bind, self.queries, self.swap_only = kind, count, bind, queries, swap_only
        self.minimal = kind in ("names", "dnset")
        self.zone = ZONES[kind]
        self.key = "%s-%d" % (kind, count)

    @property
    def title(self):
        n = "{:,}".format(self.count)
        return {"domains": "%s domain%s, expurgate's form" % (n, "" if self.count == 1 else "s"),
                "spf": "%s domain%s as SPF zone" % (n, "" if self.count == 1 else "s"), "list": "ip4set of %s addresses" % n,
                "dnset": "dnset of %s names" % n, "names": "%s TXT names" % n}[self.kind]


class Stage:
    """Generated files and images, kept in a directory and made once."""

    def __init__(self, directory, log):
        self.directory, self.log = directory, log

    def path(self, name):
        return os.path.join(self.directory, name)

    def files(self, w):
        """-> data file, query file"""
        data, queries = self.path(w.key + ".zone"), self.path(w.key + ".q")
        complete = data + (".bind" if w.bind else "") + ".complete"
        if not os.path.exists(complete):
            subprocess.run([sys.executable, os.path.join(HERE, "workload.py"), w.kind, str(w.count), data, queries,
                            "--queries", str(w.queries)] + (["--bind"] if w.bind else []), check=True)
            os.utime(data, (MTIME, MTIME))
            open(complete, "w").close()
        return data, queries

    def spec(self, w, data):
        return "%s:%s:%s" % (w.zone, DATASETS[w.kind], data)

    def build(self, w, image):
        """Text to image. -> wall and CPU seconds, peak memory"""
        data, _ = self.files(w)
        if w.kind == "spf":
            config = replay_config(self.path(w.key), data, data + ".domains")
            made = os.path.join(self.path(w.key), "spf.mzi")
            row = timed([program("mailzone"), "build", "--full", config], self.log)
            os.replace(made, image)
            return row
        return timed([program("mailzone"), "build", "--full"] + (["--minimal"] if w.minimal else []) +
                     ["-o", image, self.spec(w, data)], self.log)

    def image(self, w, version=0):
        """An image of that version, by this compiler: another one's may have another format."""
        compiler = os.stat(program("mailzone"))
        stem = "%s.%d." % (w.key, version)
        image = self.path("%s%x.mzi" % (stem, compiler.st_mtime_ns ^ compiler.st_size))
        if not os.path.exists(image):
            for old in os.listdir(self.directory):
                if old.startswith(stem) and old.endswith(".mzi"):
                    os.unlink(self.path(old))
            data, _ = self.files(w)
            os.utime(data, (MTIME + version, MTIME + version))
            self.build(w, self.path("building.mzi"))
            os.rename(self.path("building.mzi"), image)
            os.utime(data, (MTIME, MTIME))
        return image

    def zone_file(self, w, version=0):
        """The zone file for other servers, with another serial in each version."""
        data, _ = self.files(w)
        if version == 0:
            return data + ".bind"
        path = "%s.bind.%d" % (data, version)
        if not os.path.exists(path):
            with open(data + ".bind") as source, open(path, "w") as out:
                for line in source:
                    out.write(line.replace(" 1 10800", " %d 10800" % (1 + version), 1))
                    if " SOA " in line:
                        break
                shutil.copyfileobj(source, out, 1 << 22)
        return path


class Cannot:
    def __init__(self, label, reason):
        self.label, self.reason = label, reason


class Setup:
    """`command(port)`: the words to start it. `publish(version)`: makes a version of the data current on disk; the server
    takes it at SIGHUP. `note`: shown with its reload."""

    def __init__(self, label, command, publish=None, note="", answered=True):
        self.label, self.command, self.publish, self.note, self.answered = label, command, publish, note, answered

    def start(self, stage, queries, wait_seconds=300.0):
        if self.publish:
            self.publish(0)
        port = free_port()
        return Server(self.label, self.command(port), port, stage.log, Probe.first_of(queries, self.answered), wait_seconds)


def link_over(source, live):
    """Publishes a file as a daemon's owner would: complete, and at once."""
    if os.path.exists(live + ".next"):
        os.unlink(live + ".next")
    os.link(source, live + ".next")
    os.rename(live + ".next", live)
    os.path.exists(live + ".next") and os.unlink(live + ".next")     # both names were one file already


def echo(uring=False):
    return Setup(ECHOES[uring], lambda port: [program("uring_echo" if uring else "udp_echo"), port], answered=False)


def mailzone(stage, w, io):
    label = "mailzone %s%s" % (io, " (SPF zone)" if w.kind == "spf" else "")
    live = stage.path("%s.%s.live" % (w.key, io))
    return Setup(label, lambda port: [program("mailzoned"), "--image", live, "--listen", "127.0.0.1:%d" % port, "--workers",
                                      "1", "--io", io, "--check-interval", "0"],
                 lambda version: link_over(stage.image(w, version), live), note="image built beforehand")


def rbldnsd(stage, w, fork=False):
    data, _ = stage.files(w)
    user = "rbldns" if os.geteuid() == 0 else str(os.getuid())

    def publish(version):
        os.utime(data, (MTIME + version, MTIME + version))

    return Setup("rbldnsd -f" if fork else "rbldnsd",
                 lambda port: [RBLDNSD, "-n", "-e", "-a" if w.minimal else "-A", "-u", user, "-b", "127.0.0.1/%d" % port, "-c",
                               "0"] + (["-f"] if fork else []) + [stage.spec(w, data)],
                 publish, note="answers from a forked copy meanwhile" if fork else "")


def zone_file_server(label, binary, template, words):
    def make(stage, w):
        directory = stage.path("%s.%s" % (w.key, label.lower()))
        live = os.path.join(directory, "live.zone")

        def publish(version):
            os.makedirs(directory, exist_ok=True)
            source = stage.zone_file(w, version)
            now = time.time()
            os.utime(source, (now, now))
            link_over(source, live)

        def command(port):
            config = os.path.join(directory, "server.conf")
            with open(config, "w") as out:
                out.write(template.format(port=port, directory=directory, zone=w.zone, file=live))
            return [binary] + words + [config]

        return Setup(label, command, publish)
    return make


nsd = zone_file_server("NSD", NSD, NSD_CONFIG, ["-d", "-c"])
knot = zone_file_server("Knot", KNOT, KNOT_CONFIG, ["-c"])

NEEDS_ADDRESSES = ("a zone file has no address ranges and no answer that repeats the address: it would need a record for each of "
                   "the 2^32 addresses of a domain")


def compared(stage, w, available, rbldnsd_bytes, memory_bytes):
    """All rows of a workload, echoes first. `rbldnsd_bytes`: (octets for each of N domains, N) of this run, or None."""
    rows = [echo(), echo(uring=True), mailzone(stage, w, "uring"), mailzone(stage, w, "epoll")]
    if w.kind == "domains":
        rows.append(mailzone(stage, Workload("spf", w.count, queries=w.queries), "uring"))
    if w.kind == "spf":
        reason = "has no SPF zones; the same domains in its form"
        if rbldnsd_bytes:
            reason += " would need about %.3g GB of memory (%.0f kB for each of %s domains; this machine has %.0f GB)" % (
                rbldnsd_bytes[0] * w.count / 1e9, rbldnsd_bytes[0] / 1e3, "{:,}".format(rbldnsd_bytes[1]), memory_bytes / 1e9)
        rows.append(Cannot("rbldnsd", reason))
    elif "rbldnsd" in available:
        rows.append(rbldnsd(stage, w))
    else:
        rows.append(Cannot("rbldnsd", "not installed"))
    for label, make in (("NSD", nsd), ("Knot", knot)):
        if w.kind in ("domains", "spf"):
            rows.append(Cannot(label, NEEDS_ADDRESSES))
        elif w.kind == "list":
            rows.append(Cannot(label, "no address lists; as separate names see the dnset"))
        elif label not in available:
            rows.append(Cannot(label, "not installed"))
        elif w.bind:
            rows.append(make(stage, w))
        else:
            rows.append(Cannot(label, "not run in this budget"))
    return rows
