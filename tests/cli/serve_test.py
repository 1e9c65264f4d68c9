#!/usr/bin/env python3
"""mailzone serve, status and reload against a running mailzoned: build, change, break, mend, crash, stop."""
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from tool import BIN, FINDINGS, OK, TEMPORARY, USAGE, ToolTest


def free_port():
    """A port that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(("127.0.0.1", udp.getsockname()[1]))
            except OSError:
                continue
            return udp.getsockname()[1]


def ask(port, name, timeout=0.5):
    """The first A address of the answer, "NXDOMAIN"-like text for another rcode, or None without a reply."""
    question = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect(("127.0.0.1", port))
        try:
            s.send(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + question)
            reply = s.recv(4096)
        except OSError:
            return None
    flags, _, answers = struct.unpack(">HHH", reply[2:8])
    if answers:
        at = 12 + len(question)
        return socket.inet_ntoa(reply[at + 12:at + 16])
    return f"rcode {flags & 15}"


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Serve:
    """A running `mailzone serve`; its log is read by a thread."""

    def __init__(self, test, *arguments, env=None):
        self.test = test
        self.process = subprocess.Popen([BIN / "mailzone", "serve", *map(str, arguments)], cwd=test.dir, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=test.environment(**(env or {})))
        self.lines = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        test.addCleanup(self.close)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def log(self):
        return "\n".join(self.lines)

    def daemon_pid(self):
        return int(re.findall(r"mailzoned started, pid (\d+)", self.log())[-1])

    def until(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            if self.process.poll() is not None and not condition():
                break
            time.sleep(0.02)
        self.test.fail(f"{what} did not come about; the log:\n{self.log()}")

    def until_line(self, pattern, seconds=20, count=1):
        self.until(lambda: len(re.findall(pattern, self.log())) >= count, f"log line {pattern!r}", seconds)


class ServeTest(ToolTest):
    def start(self, *more, text="127.0.0.2 :2:\n", zone_lines="", env=None):
        self.port = free_port()
        self.write("bl.txt", text)
        self.write("m.toml", f"""[server]
listen = ["127.0.0.1:{self.port}"]
workers = 1
[watch]
poll_seconds = 1
quiet_ms = 50
[[zone]]
name = "bl.test"
type = "ip4set"
files = ["bl.txt"]
{zone_lines}""")
        serve = Serve(self, "m.toml", *more, env=env)
        serve.until_line("serving 1 zone")
        return serve

    def replace(self, name, text):
        self.write(name + ".new", text)
        os.rename(self.dir / (name + ".new"), self.dir / name)

    def answer(self, name="2.0.0.127.bl.test"):
        return ask(self.port, name)

    def test_change_break_mend_stop(self):
        serve = self.start()
        self.assertEqual(self.answer(), "127.0.0.2")
        # A changed file is served soon.
        self.replace("bl.txt", "127.0.0.2 :3:\n")
        serve.until(lambda: self.answer() == "127.0.0.3", "the new answer")
        serve.until_line("in service: generation 2")
        # A bad line is told, with a caret, and skipped.
        self.replace("bl.txt", "127.0.0.2 :4:\nbad line\n")
        serve.until(lambda: self.answer() == "127.0.0.4", "the next answer")
        serve.until_line(r"build: .*bl\.txt:2:1: warning: invalid address")
        serve.until_line(r"build: \^")
        # A file that does not load leaves the old data in service.
        os.rename(self.dir / "bl.txt", self.dir / "gone.txt")
        serve.until_line("the build failed .*the old image stays in service")
        self.assertEqual(self.answer(), "127.0.0.4")
        # Mended: written in place, not renamed.
        self.write("bl.txt", "127.0.0.2 :5:\n")
        serve.until(lambda: self.answer() == "127.0.0.5", "the mended answer")
        status = self.ok("status", "--json", "m.toml").json()
        self.assertTrue(status["running"])
        self.assertEqual(status["pid"], serve.daemon_pid())
        self.assertGreaterEqual(status["image"]["generation"], 4)
        self.assertEqual(status["zones"][0]["zone"], "bl.test")
        self.assertIn("daemon     running", self.ok("status", "m.toml").out)
        self.assertRegex(self.ok("reload", "--wait", "m.toml").out, "^unchanged, generation ")
        # One Ctrl-C ends all, soon.
        daemon = serve.daemon_pid()
        begun = time.monotonic()
        serve.process.send_signal(signal.SIGINT)
        self.assertEqual(serve.process.wait(timeout=10), OK)
        self.assertLess(time.monotonic() - begun, 2)
        self.assertFalse(alive(daemon))
        self.assertEqual(self.run_tool("status", "m.toml").code, TEMPORARY)
        for line in serve.lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")

    def test_daemon_that_dies_is_started_again(self):
        serve = self.start()
        first = serve.daemon_pid()
        os.kill(first, signal.SIGKILL)
        serve.until_line(r"mailzoned ended by itself: signal 9")
        serve.until_line("serving 1 zone", count=2)
        self.assertNotEqual(serve.daemon_pid(), first)
        self.assertEqual(self.answer(), "127.0.0.2")

    def test_daemon_ends_with_its_supervisor(self):
        serve = self.start()
        daemon = serve.daemon_pid()
        serve.process.kill()
        serve.process.wait()
        end = time.monotonic() + 5
        while alive(daemon) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertFalse(alive(daemon))

    @unittest.skipUnless(os.getuid() == 0, "only root can give up its rights")
    def test_daemon_with_another_user_ends_with_its_supervisor(self):
        os.chmod(self.dir, 0o777)
        serve = self.start("--user", "nobody")
        daemon = serve.daemon_pid()
        with open(f"/proc/{daemon}/status") as f:
            self.assertNotIn("Uid:\t0\t", f.read())
        self.assertEqual(self.answer(), "127.0.0.2")
        self.replace("bl.txt", "127.0.0.2 :3:\n")
        serve.until(lambda: self.answer() == "127.0.0.3", "the new answer")
        serve.process.kill()
        serve.process.wait()
        end = time.monotonic() + 5
        while alive(daemon) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertFalse(alive(daemon))

    def test_changes_are_collected(self):
        serve = self.start()
        for i in range(20):
            self.replace("bl.txt", f"127.0.0.2 :{i + 10}:\n")
            time.sleep(0.005)
        serve.until(lambda: self.answer() == "127.0.0.29", "the last answer")
        self.assertLess(serve.log().count("files changed"), 10)

    def test_changed_configuration(self):
        serve = self.start()
        text = (self.dir / "m.toml").read_text()
        self.replace("m.toml", text + "\n[[zone]]\nname = \"dn.test\"\ntype = \"dnset\"\nfiles = [\"dn.txt\"]\n")
        serve.until_line("the build failed")  # dn.txt is not there yet, and is watched all the same
        self.write("dn.txt", "example.com :9:\n")
        serve.until(lambda: self.answer("example.com.dn.test") == "127.0.0.9", "the new zone")
        # A mistake is told and changes nothing.
        self.replace("m.toml", text.replace("files", "flies"))
        serve.until_line("unknown key 'flies'")
        self.assertEqual(self.answer(), "127.0.0.2")
        # Other settings of the server: the daemon is started again.
        old_port, self.port = self.port, free_port()
        self.replace("m.toml", text.replace(str(old_port), str(self.port)))
        serve.until_line("the server's settings changed")
        serve.until(lambda: self.answer() == "127.0.0.2", "an answer on the new port")
        self.assertIsNone(ask(old_port, "2.0.0.127.bl.test"))

    def test_an_image_that_is_there_serves_when_the_first_build_fails(self):
        serve = self.start()
        serve.process.terminate()
        self.assertEqual(serve.process.wait(timeout=10), OK)
        os.rename(self.dir / "bl.txt", self.dir / "gone.txt")
        serve = Serve(self, "m.toml")
        serve.until_line("the old image stays in service")
        serve.until_line("serving 1 zone")
        self.assertEqual(self.answer(), "127.0.0.2")

    def test_nothing_to_serve_is_an_error(self):
        self.write("m.toml", "[server]\nlisten = [\"127.0.0.1:0\"]\n[[zone]]\nname = \"a.test\"\ntype = \"ip4set\"\n"
                             "files = [\"missing.txt\"]\n")
        result = self.run_tool("serve", "m.toml")
        self.assertEqual(result.code, 3, result.err)
        self.assertIn("there is no image yet", result.err)
        self.assertIn("missing.txt", result.err)

    def test_an_address_that_is_taken_is_an_error(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            self.write("bl.txt", "127.0.0.2\n")
            result = self.run_tool("serve", "--listen", f"127.0.0.1:{udp.getsockname()[1]}", "bl.test:ip4set:bl.txt")
        self.assertEqual(result.code, USAGE, result.err)
        self.assertIn("in use", result.err)

    def test_specifications_and_a_temporary_image(self):
        self.port = free_port()
        self.write("bl.txt", "127.0.0.2 :7:\n")
        temporary = self.dir / "tmp"
        temporary.mkdir()
        serve = Serve(self, "-l", f"127.0.0.1:{self.port}", "--quiet=20", "--io=epoll", "bl.test:ip4set:bl.txt",
                      env={"TMPDIR": str(temporary)})
        serve.until_line("serving 1 zone")
        self.assertEqual(self.answer(), "127.0.0.7")
        self.replace("bl.txt", "127.0.0.2 :8:\n")
        serve.until(lambda: self.answer() == "127.0.0.8", "the new answer")
        serve.process.terminate()
        self.assertEqual(serve.process.wait(timeout=10), OK)
        self.assertEqual(list(temporary.iterdir()), [])

    def test_usage(self):
        self.assertEqual(self.run_tool("serve", "bl.test:ip4set:x").code, USAGE)  # no address
        self.assertEqual(self.run_tool("serve", "--listen=127.0.0.1:1", "nowhere.toml").code, 3)

    def test_hangup_builds_now(self):
        serve = self.start()
        serve.process.send_signal(signal.SIGHUP)
        serve.until_line("told to build now")
        serve.until_line("up to date")
        self.assertEqual(self.answer(), "127.0.0.2")

    def test_service_manager_is_told(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.dir / "notify"))
            manager.settimeout(20)
            serve = self.start(env={"NOTIFY_SOCKET": str(self.dir / "notify")})
            self.assertEqual(manager.recv(100), b"READY=1")
            serve.process.terminate()
            self.assertEqual(manager.recv(100), b"STOPPING=1")


class ReloadTest(ToolTest):
    def test_verdicts(self):
        port = free_port()
        self.write("bl.txt", "127.0.0.2\n")
        self.ok("build", "-o", "bl.mzi", "bl.test:ip4set:bl.txt")
        daemon = subprocess.Popen([BIN / "mailzoned", "--image=bl.mzi", f"--listen=127.0.0.1:{port}", "--workers=1",
                                   "--pid-file=pid"], cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        end = time.monotonic() + 20
        while ask(port, "2.0.0.127.bl.test") is None and time.monotonic() < end:
            time.sleep(0.02)
        self.assertRegex(self.ok("reload", "-w", "bl.mzi.stats").out, "^unchanged, generation 1, ")
        self.write("bl.txt", "127.0.0.3\n")
        self.ok("build", "-o", "bl.mzi", "bl.test:ip4set:bl.txt")
        document = self.ok("reload", "--wait", "--json", "--stats-page=bl.mzi.stats").json()
        self.assertEqual((document["verdict"], document["generation"]), ("loaded", 2))
        self.replace_image(b"garbage")
        result = self.run_tool("reload", "--wait", "bl.mzi.stats")
        self.assertEqual(result.code, FINDINGS)
        self.assertIn("refused: ", result.err)
        self.assertIn("goes on with generation 2", result.err)
        self.assertEqual(ask(port, "3.0.0.127.bl.test"), "127.0.0.2")
        self.assertIn("failed", self.ok("status", "bl.mzi.stats").out)
        self.ok("reload", "bl.mzi.stats")
        self.assertEqual(self.ok("reload", "--pid-file", "pid").out, f"process {daemon.pid} was told to reload\n")

    def replace_image(self, content):
        self.write("new", content)
        os.rename(self.dir / "new", self.dir / "bl.mzi")


if __name__ == "__main__":
    unittest.main()
