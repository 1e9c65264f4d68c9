"""`mailzone serve CONFIG`: one command builds, starts the daemon, watches the files, rebuilds and swaps."""
import os
import signal
import subprocess

import harness
import zones
from dnswire import Query
from test_failures import children, text_of

CONFIG = """
[server]
listen = ["127.0.0.1:{port}"]
io = "{io}"

[[zone]]
name = "bl.test"
type = "ip4set"
files = ["list"]
"""


def start(t, config=CONFIG):
    port = harness.free_port()
    (t.directory / "mailzone.toml").write_text(config.format(port=port, io=t.io))
    process = t.start([t.binary("mailzone"), "serve", t.directory / "mailzone.toml"])
    client = t.client(port)
    t.wait_ready(process, client)
    return process, client


@harness.backends
def test_watch(t):
    harness.write_file(t.directory / "list", zones.listed("first", 100))
    process, client = start(t)
    t.check("built and served", "first" in text_of(client), text_of(client))
    for number in range(3):
        harness.write_file(t.directory / "list", zones.listed(f"change {number}", 100), mtime=None)
        t.check(f"change {number} is served by itself",
                harness.wait_until(lambda: f"change {number}" in text_of(client), 10), process.log()[-800:])
    harness.write_file(t.directory / "list.new2", b"")
    (t.directory / "list").unlink()
    t.check("a missing file: the last good data", not harness.wait_until(lambda: "change 2" not in text_of(client), 1.5))
    harness.write_file(t.directory / "list", zones.listed("back", 100), mtime=None)
    t.check("the file is back", harness.wait_until(lambda: "back" in text_of(client), 10), process.log()[-800:])
    below = children(process.pid)
    t.check("the daemon is a child", below)
    process.signal(signal.SIGINT)
    try:
        code = process.wait(10)
    except subprocess.TimeoutExpired:
        code = "still running"
    t.equal("Ctrl-C ends it", code, 0)
    t.check("and all its children", harness.wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below), 5))


@harness.backends
def test_daemon_killed(t):
    """The daemon is started again when it dies."""
    harness.write_file(t.directory / "list", zones.listed("kept", 100))
    process, client = start(t)
    for pid in children(process.pid):
        harness.kill(pid)
    t.check("answers again", harness.wait_until(
        lambda: (reply := client.ask(Query("1.0.0.10.bl.test"), timeout=0.3)) and reply.rcode == "NOERROR", 15),
        process.log()[-800:])


def test_bad_config(t):
    """Mistakes are told with file, line and the nearest key; exit code 2."""
    for text, words in (("[server]\nlistn = ['127.0.0.1:1']\n", "listen"), ("[[zone]]\nname = 'x'\ntype = 'ip4sett'\nfiles = ['a']\n", "ip4set"),
                        ("[server\n", "mailzone.toml:")):
        (t.directory / "mailzone.toml").write_text(text)
        done = t.run([t.binary("mailzone"), "serve", t.directory / "mailzone.toml"], timeout=10)
        t.check(f"{text.splitlines()[-1]!r}: exit 2 and a hint", done.returncode == 2 and words in done.stderr,
                f"{done.returncode} {done.stderr}")
