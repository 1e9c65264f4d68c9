"""An internet in a box on loopback: provider zones and generated customers, NSD as their authority, unbound in front.

  box = Internet(t, customers=100)        # both servers run until the test ends
  box.forwarder                           # "127.0.0.1@PORT" for [resolver] forwarders
  box.domains                             # names for [[zone]] domains
  config = box.write_config(directory)    # a mailzone.toml that serves them all

See tests/data/internet/README.md.
"""
import importlib.util
import pathlib

import harness
import unbound
from dnswire import Query

DATA = harness.DATA / "internet"
ZONE = "_spf.flat.example"              # where the published records point to

NSD_CONFIG = """server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  logfile: "{directory}/nsd.log"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""

# Many questions at once, and names that unbound would answer by itself.
UNBOUND_SETTINGS = ("num-queries-per-thread: 4096", "outgoing-range: 4096", "minimal-responses: yes",
                    "qname-minimisation: no", 'target-fetch-policy: "0 0 0 0 0"', 'local-zone: "example." nodefault',
                    'local-zone: "invalid." nodefault', 'local-zone: "61.18.198.in-addr.arpa." nodefault')


def load_generator():
    spec = importlib.util.spec_from_file_location("internet_gen", DATA / "gen.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Internet:
    """The servers and the customers. `extra_zones`: {zone name: zone file text} served as well; `records`: text appended to
    the zone "example" (fully qualified owners)."""

    def __init__(self, t, customers=100, seed="1", faults=False, form="redirect", zone=ZONE, extra_zones=None, records="",
                 stubs=None):
        self.t, self.zone = t, zone
        generator = load_generator()
        self.directory = t.new_directory()
        self.customers = generator.customers(customers, seed)
        self.sources = {c.domain: c.source for c in self.customers}
        self.domains = [c.domain for c in self.customers]
        if faults:
            self.domains += [domain for domain, _, _, _ in generator.FAULTS]
        self.example = self.directory / "example.zone"
        text = generator.zone_text(self.customers, generator.published_record(form, zone), faults)
        self.example.write_text(text + "$ORIGIN .\n" + records)
        self.zones = {"example": self.example, **dict(generator.provider_zones())}
        for name, content in (extra_zones or {}).items():
            path = self.directory / f"{name}.zone"
            path.write_text(content)
            self.zones[name] = path
        if faults:
            self.zones["broken-zone.invalid"] = self.directory / "missing.zone"
        self.authority_port = self._start_nsd()
        self.resolver_port = self._start_unbound(stubs or {})
        self.forwarder = f"127.0.0.1@{self.resolver_port}"

    def _start_nsd(self):
        port = harness.free_port()
        config = NSD_CONFIG.format(port=port, directory=self.directory)
        config += "".join(f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n' for name, path in self.zones.items())
        path = self.directory / "nsd.conf"
        path.write_text(config)
        self.nsd = self.t.start([unbound.find_program("nsd"), "-d", "-c", path], directory=self.directory)
        self.authority = self.t.client(port)
        self.t.wait_ready(self.nsd, self.authority)
        return port

    def _start_unbound(self, stubs):
        """`stubs`: {zone: port} of other servers that the resolver shall ask."""
        zones = {**{name: self.authority_port for name in self.zones}, **stubs}
        self.unbound, self.resolver = unbound.start(self.t, zones, *UNBOUND_SETTINGS, directory=self.directory)
        reply = self.resolver.ask(Query("_spf.google.com", "TXT", flags=("rd",)), timeout=5, tries=3)
        self.t.require("the box resolves a provider's record", reply is not None and len(reply.answer) == 1,
                       self.unbound.log()[-1000:] if reply is None else reply)
        return self.resolver.port

    def write_config(self, directory, listen=(), name="mailzone.toml", zone_keys="", more="", domains=None):
        """-> path. `zone_keys`: more lines of the [[zone]]; `more`: other sections."""
        directory = pathlib.Path(directory)
        (directory / "domains.txt").write_text("".join(d + "\n" for d in (self.domains if domains is None else domains)))
        addresses = ", ".join(f'"{address}"' for address in listen)
        path = directory / name
        path.write_text(f"""[server]
image = "spf.mzi"
listen = [{addresses}]
[resolver]
forwarders = ["{self.forwarder}"]
{more}
[[zone]]
name = "{self.zone}"
type = "spf"
ns = ["ns1.flat.example"]
hostmaster = "hostmaster@flat.example"
source_prefix = "_xpg8"
domains_file = "domains.txt"
{zone_keys}
""")
        return path
