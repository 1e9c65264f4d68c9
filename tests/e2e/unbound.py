"""A real unbound on loopback that asks the given servers only, as a resolver in front of them.

  process, client = unbound.start(t, {"bl.test": server.port}, "qname-minimisation: yes")

Runs until the test ends; skipped, and so failed, where unbound is not installed.
"""
import os
import shutil

import harness

CONFIG = """server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  use-syslog: no
  logfile: ""
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: "{directory}/unbound.pid"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  num-threads: 1
  local-zone: "test." nodefault
"""


def find_program(name):
    program = shutil.which(name) or f"/usr/sbin/{name}"
    if not os.path.exists(program):
        raise harness.Skip(f"{name} is not installed")
    return program


def start(t, zones, *settings, directory=None):
    """`zones`: {name: port of its server}; `settings`: more lines of the server section. -> (process, client)."""
    directory, port = directory or t.new_directory(), harness.free_port()
    config = CONFIG.format(port=port, directory=directory) + "".join(f"  {line}\n" for line in settings)
    config += "remote-control:\n  control-enable: no\n"
    for name, server_port in zones.items():
        config += f'stub-zone:\n  name: "{name}"\n  stub-addr: 127.0.0.1@{server_port}\n'
    path = directory / "unbound.conf"
    path.write_text(config)
    process = t.start([find_program("unbound"), "-d", "-c", path], directory=directory)
    client = t.client(port)
    t.wait_ready(process, client)
    return process, client
