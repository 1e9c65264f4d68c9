#!/usr/bin/env python3
"""Every verb with real files: exit codes, what goes to stdout and what to stderr, JSON, carets, equal bytes, explain."""
import gzip
import os
import time
import unittest

from tool import FINDINGS, OK, TEMPORARY, UNREADABLE, USAGE, ToolTest

BL = """$SOA 3600 ns1.bl.test hostmaster.bl.test 1 7200 600 604800 300
$NS 3600 ns1.other.test
:2:Listed, see http://bl.test/?$
127.0.0.2
10.0.0.0/8 :3:ten
10.1.0.0/16
!10.1.2.0/24
"""


class BuildTest(ToolTest):
    def test_specifications_make_an_image(self):
        self.write("bl.txt", BL)
        result = self.ok("build", "-o", "bl.mzi", "bl.test:ip4set:bl.txt")
        self.assertRegex(result.out, r"^bl\.mzi: 1 zone, .* [0-9.]+ kB, [0-9.]+ s\n$")
        self.assertEqual(result.err, "")
        self.assertTrue((self.dir / "bl.mzi").exists())

    def test_equal_input_gives_equal_bytes(self):
        self.write("bl.txt", BL)
        for out in ("a.mzi", "b.mzi"):
            self.ok("build", "--created=0", "-o", out, "bl.test:ip4set:bl.txt")
        a = (self.dir / "a.mzi").read_bytes()
        self.assertEqual(a, (self.dir / "b.mzi").read_bytes())
        self.ok("build", "--created=5", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        self.assertNotEqual(a, (self.dir / "a.mzi").read_bytes())

    def test_taking_over_gives_the_same_bytes_as_compiling(self):
        self.write("bl.txt", BL)
        self.write("dn.txt", "example.com\n")
        specs = ["bl.test:ip4set:bl.txt", "dn.test:dnset:dn.txt"]
        self.ok("build", "--created=0", "-o", "a.mzi", *specs)
        self.write("dn.txt", "example.org\n")
        result = self.ok("build", "--created=0", "-o", "a.mzi", *specs)
        self.assertIn("1 of 2 datasets unchanged", result.out)
        self.ok("build", "--created=0", "--full", "-o", "b.mzi", *specs)
        self.assertEqual((self.dir / "a.mzi").read_bytes(), (self.dir / "b.mzi").read_bytes())

    def test_nothing_changed_nothing_written(self):
        self.write("bl.txt", BL)
        self.ok("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        before = os.stat(self.dir / "a.mzi")
        self.assertIn("up to date", self.ok("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt").out)
        self.assertEqual(os.stat(self.dir / "a.mzi").st_ino, before.st_ino)
        self.assertNotIn("up to date", self.ok("build", "-o", "a.mzi", "--ent=nxdomain", "bl.test:ip4set:bl.txt").out)
        self.assertNotIn("up to date", self.ok("build", "-o", "a.mzi", "--ttl=60", "bl.test:ip4set:bl.txt").out)
        self.assertNotIn("up to date", self.ok("build", "-o", "a.mzi", "--full", "bl.test:ip4set:bl.txt").out)

    def test_a_damaged_old_image_is_replaced(self):
        self.write("bl.txt", BL)
        self.write("a.mzi", "not an image")
        self.ok("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        self.ok("check", "a.mzi")

    def test_carets(self):
        self.write("bl.txt", "127.0.0.2\n10.0.0.300 spam\n  1.2.3.4/33\n")
        result = self.ok("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        lines = result.err.splitlines()
        self.assertEqual(lines[0:3], ["bl.txt:2:1: warning: invalid address", "10.0.0.300 spam", "^~~~~~~~~~"])
        place = next(line for line in lines if line.startswith("bl.txt:3:"))
        column = int(place.split(":")[2])
        caret = lines[lines.index(place) + 2]
        self.assertEqual(caret.index("^") + 1, column)
        self.assertGreaterEqual(column, 3)
        self.assertIn("2 warnings", result.out)
        self.assertNotIn("\033", result.err)

    def test_number_of_diagnostics_is_limited(self):
        self.write("bl.txt", "bad\n" * 200 + "127.0.0.2\n")
        result = self.ok("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        self.assertEqual(result.err.count("warning: invalid"), 50)
        self.assertTrue(result.err.endswith("150 more warnings not shown (--max-diagnostics shows more)\n"))
        result = self.ok("build", "--full", "--max-diagnostics=3", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        self.assertEqual(result.err.count("warning: invalid"), 3)

    def test_json_is_alone_on_stdout(self):
        self.write("bl.txt", "bad \xff\n127.0.0.2\n".encode("latin-1"))
        result = self.ok("build", "--json", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        document = result.json()
        self.assertEqual(result.err, "")
        self.assertTrue(document["ok"])
        self.assertEqual(document["diagnostics"][0]["line"], 1)
        self.assertEqual(document["image"]["path"], "a.mzi")
        result = self.run_tool("build", "--json", "-o", "b.mzi", "bl.test:ip4set:missing.txt")
        self.assertEqual(result.code, UNREADABLE)
        self.assertFalse(result.json()["ok"])

    def test_exit_codes(self):
        self.write("bl.txt", BL)
        self.write("bad.txt", "$TIMESTAMP 2037-01-01\n127.0.0.2\n")  # from the future: does not load
        self.assertEqual(self.run_tool("build", "bl.test:ip4set:bl.txt").code, USAGE)  # no -o
        self.assertEqual(self.run_tool("build", "-o", "a.mzi", "bl.test:ip4sett:bl.txt").code, USAGE)
        self.assertEqual(self.run_tool("build", "-o", "a.mzi", "bl.test:ip4set:nowhere.txt").code, UNREADABLE)
        result = self.run_tool("build", "-o", "a.mzi", "bl.test:ip4set:bad.txt")
        self.assertEqual(result.code, FINDINGS, result.err)
        self.assertEqual(self.run_tool("build", "-o", "no/such/dir/a.mzi", "bl.test:ip4set:bl.txt").code, UNREADABLE)
        self.assertEqual(self.run_tool("build", "nowhere.toml").code, UNREADABLE)
        self.assertFalse((self.dir / "a.mzi").exists())
        self.write("warn.txt", "bad\n")
        self.assertEqual(self.run_tool("build", "--werror", "-o", "w.mzi", "bl.test:ip4set:warn.txt").code, FINDINGS)
        self.assertTrue((self.dir / "w.mzi").exists())

    def test_a_failed_build_leaves_the_old_image(self):
        self.write("bl.txt", BL)
        self.ok("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        before = (self.dir / "a.mzi").read_bytes()
        (self.dir / "bl.txt").unlink()
        result = self.run_tool("build", "-o", "a.mzi", "bl.test:ip4set:bl.txt")
        self.assertEqual(result.code, UNREADABLE)
        self.assertIn("bl.txt", result.err)
        self.assertIn("a.mzi was not written", result.err)
        self.assertEqual((self.dir / "a.mzi").read_bytes(), before)
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["a.mzi"])

    def test_configuration(self):
        self.write("bl.txt", "127.0.0.2\n")
        self.write("acl.txt", "127.0.0.9 :refuse\n")
        self.write("m.toml", """[server]
listen = ["127.0.0.1:0"]
acl = ["acl.txt"]
[[zone]]
name = "BL.test"
type = "ip4set"
files = ["bl.txt"]
ns = ["ns1.example.net", "NS2.example.net"]
ns_ttl = "1h"
hostmaster = "john.doe@example.net"
serial = 42
refresh = "3h"
ttl = 777
ent = "nxdomain"
minimal = true
[[zone]]
name = "two.test"
type = "ip4set"
files = ["bl.txt"]
""")
        self.ok("build", "m.toml")
        dump = self.ok("dump", "m.mzi").out
        self.assertIn("global acl\n  ttl 2100\n  127.0.0.9 refuse\n", dump)
        self.assertIn("  soa 3600 ns1.example.net. john\\.doe.example.net. 42 10800 1800 1209600 300\n", dump)
        self.assertIn("  ns 3600 ns1.example.net.\n", dump)
        self.assertIn("  ns 3600 NS2.example.net.\n", dump)
        self.assertIn("  flags ent-nxdomain minimal\n", dump)
        first, second = dump.split("zone two.test.")
        self.assertIn("dataset ip4set ttl 777\n", first)
        self.assertIn("dataset ip4set ttl 2100\n", second)
        # A variable beats the file, a flag beats both.
        self.ok("build", "m.toml", env={"MAILZONE_BUILD_TTL": "99", "MAILZONE_SERVER_IMAGE": "env.mzi"})
        self.assertIn("ttl 99\n", self.ok("dump", "env.mzi").out)
        self.ok("build", "-t", "98", "-o", "flag.mzi", "m.toml", env={"MAILZONE_BUILD_TTL": "99"})
        self.assertIn("ttl 98\n", self.ok("dump", "flag.mzi").out)

    def test_mistake_in_the_configuration(self):
        self.write("m.toml", "[[zone]]\nname = \"a.test\"\ntype = \"ip4set\"\nfile = [\"x\"]\n")
        result = self.run_tool("build", "m.toml")
        self.assertEqual(result.code, USAGE)
        self.assertEqual(result.out, "")
        self.assertEqual(result.err, "m.toml:4:1: error: unknown key 'file' in [[zone]]\nfile = [\"x\"]\n^~~~\n"
                                     "note: did you mean 'files'?\nmailzone: the configuration m.toml has errors\n")


class CheckTest(ToolTest):
    def test_data(self):
        self.write("bl.txt", BL)
        result = self.ok("check", "bl.test:ip4set:bl.txt")
        self.assertRegex(result.out, r"^1 dataset, 4 entries, no findings, ")
        self.write("bl.txt", "oops\n")
        result = self.run_tool("check", "bl.test:ip4set:bl.txt")
        self.assertEqual(result.code, FINDINGS)
        self.assertIn("bl.txt:1:1: warning:", result.err)
        self.assertEqual([p.name for p in self.dir.iterdir()], ["bl.txt"])
        self.assertEqual(self.run_tool("check", "--json", "bl.test:ip4set:bl.txt").json()["ok"], False)

    def test_image(self):
        self.write("bl.txt", BL)
        self.ok("build", "-o", "bl.mzi", "bl.test:ip4set:bl.txt")
        self.assertIn("zone bl.test: 1 dataset, serial 1\n", self.ok("check", "bl.mzi").out)
        self.assertEqual(self.ok("check", "--json", "bl.mzi").json()["zones"][0]["zone"], "bl.test")
        good = (self.dir / "bl.mzi").read_bytes()
        for damage in (good[:-1], good + b"\0", good[:5000] + bytes([good[5000] ^ 1]) + good[5001:], b""):
            self.write("bad.mzi", damage)
            result = self.run_tool("check", "bad.mzi")
            self.assertEqual(result.code, FINDINGS, result.err)
            self.assertIn("bad.mzi: ", result.err)
        self.assertEqual(self.run_tool("check", "nowhere.mzi").code, UNREADABLE)


class ReadingTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.write("bl.txt", BL)
        self.write("acl.txt", "127.0.0.9 :refuse\n127.0.0.8 :ignore\n")
        self.ok("build", "--created=0", "-o", "bl.mzi", "bl.test:ip4set:bl.txt", "bl.test:acl:acl.txt")

    def test_query(self):
        out = self.ok("query", "bl.mzi", "2.0.0.127.bl.test", "TXT").out
        self.assertIn("status: NOERROR", out)
        self.assertIn('2.0.0.127.bl.test. 2100 IN TXT "Listed, see http://bl.test/?127.0.0.2"', out)
        self.assertIn("OPT PSEUDOSECTION", out)
        self.assertNotIn("OPT", self.ok("query", "bl.mzi", "2.0.0.127.bl.test", "--no-edns").out)
        document = self.ok("query", "bl.mzi", "9.2.1.10.bl.test", "A", "--json").json()
        self.assertEqual(document["rcode"], "NXDOMAIN")
        self.assertEqual(document["authority"][0]["type"], "SOA")
        self.assertIn("REFUSED", self.ok("query", "bl.mzi", "2.0.0.127.bl.test", "--client=127.0.0.9").out)
        self.assertEqual(self.ok("query", "bl.mzi", "2.0.0.127.bl.test", "--client=127.0.0.8").out,
                         ";; no reply: the server stays silent\n")
        self.assertIn('"v1"', self.ok("query", "bl.mzi", "version.bind", "TXT", "--class=CH", "--version-text=v1").out)

    def test_query_mistakes(self):
        for arguments in (["x..", "FOO"], ["a" * 64 + ".test"], ["bl.test", "A", "--client=x"]):
            result = self.run_tool("query", "bl.mzi", *arguments)
            self.assertEqual((result.code, result.out), (USAGE, ""), arguments)
        self.assertEqual(self.run_tool("query", "nowhere.mzi", "a").code, UNREADABLE)
        self.assertEqual(self.run_tool("query", "bl.txt", "a").code, FINDINGS)

    def test_dump(self):
        text = self.ok("dump", "bl.mzi").out
        self.assertIn("10.2.0.0-10.255.255.255 A 127.0.0.3 TXT \"ten\"\n", text)
        bind = self.ok("dump", "--format=bind", "--now=0", "bl.mzi").out
        self.assertTrue(bind.startswith("; zone dump made Thu Jan  1 00:00:00 1970\n"))
        self.assertIn("$ORIGIN\tbl.test.\n", bind)

    def test_diff(self):
        result = self.ok("diff", "bl.mzi", "bl.mzi")
        self.assertEqual(result.out, "# no difference\n")
        self.write("bl.txt", BL.replace("127.0.0.2\n", "127.0.0.2\n127.0.0.5\n"))
        self.ok("build", "-o", "new.mzi", "bl.test:ip4set:bl.txt", "bl.test:acl:acl.txt")
        result = self.run_tool("diff", "bl.mzi", "new.mzi")
        self.assertEqual(result.code, FINDINGS)
        self.assertIn("+ bl.test. ip4set 127.0.0.5 A 127.0.0.2", result.out)
        self.assertIn("1 added, 0 removed, 0 changed", result.out)
        summary = self.run_tool("diff", "--summary", "bl.mzi", "new.mzi")
        self.assertEqual(len(summary.out.splitlines()), 1)
        document = self.run_tool("diff", "--json", "bl.mzi", "new.mzi").json()
        self.assertFalse(document["same"])
        self.assertEqual(document["changes"][0]["kind"], "added")
        self.assertEqual(self.run_tool("diff", "bl.mzi", "bl.txt").code, UNREADABLE)


class ExplainTest(ToolTest):
    """The deciding line of every kind of dataset."""

    def explain(self, files, spec, name, *more):
        for file, text in files.items():
            self.write(file, text)
        self.ok("build", "-o", "x.mzi", *([spec] if isinstance(spec, str) else spec))
        return self.ok("explain", "--json", "x.mzi", name, *more).json()

    def deciding(self, files, spec, name, *more):
        document = self.explain(files, spec, name, *more)
        return [(e["file"], e["line"], e["text"]) for d in document["datasets"] for e in d["entries"] if e["decides"]]

    def test_ip4set_finest_piece(self):
        name = "9.3.1.10.bl.test"
        self.assertEqual(self.deciding({"a": "10/8 ten\n10.1/16 finer\n"}, "bl.test:ip4set:a", name),
                         [("a", 2, "10.1/16 finer")])
        # Two entries of one size answer together; /15 is two pieces of /16.
        self.assertEqual(self.deciding({"a": "10.0/15 x\n10.1/16 y\n"}, "bl.test:ip4set:a", name),
                         [("a", 1, "10.0/15 x"), ("a", 2, "10.1/16 y")])
        document = self.explain({"a": "10.1.3.0/26 x\n!10.1.3.9\n"}, "bl.test:ip4set:a", name)
        self.assertEqual(document["datasets"][0]["verdict"], "excluded")
        self.assertEqual([e["role"] for e in document["datasets"][0]["entries"]],
                         ["excludes", "taken out by an exclusion"])
        self.assertEqual(document["answers"][0]["rcode"], "NXDOMAIN")

    def test_ip4tset_and_ip4trie(self):
        self.assertEqual(self.deciding({"a": "1.2.3.4\n5.6.7.8\n"}, "bl.test:ip4tset:a", "8.7.6.5.bl.test"),
                         [("a", 2, "5.6.7.8")])
        files = {"a": "10/8 one\n10.1/16 two\n10.1/16 again\n"}
        self.assertEqual(self.deciding(files, "bl.test:ip4trie:a", "9.3.1.10.bl.test"), [("a", 2, "10.1/16 two")])

    def test_ip6(self):
        nibbles = ".".join(reversed("20010db8000000000000000000000001"))
        files = {"a": "2001:db8::/32 wide\n2001:db8:0:0::/64 narrow\n"}
        self.assertEqual(self.deciding(files, "bl.test:ip6trie:a", nibbles + ".bl.test"),
                         [("a", 2, "2001:db8:0:0::/64 narrow")])
        files = {"a": ":2:six\n2001:db8:0:0\n!2001:db8::1\n"}
        document = self.explain(files, "bl.test:ip6tset:a", nibbles + ".bl.test")
        self.assertEqual(document["datasets"][0]["verdict"], "excluded")
        self.assertEqual(document["datasets"][0]["entries"][0]["line"], 3)

    def test_dnset(self):
        files = {"a": ".example.com one\n*.sub.example.com two\n!no.example.com\n"}
        self.assertEqual(self.deciding(files, "dn.test:dnset:a", "a.sub.example.com.dn.test"),
                         [("a", 2, "*.sub.example.com two")])
        self.assertEqual(self.deciding(files, "dn.test:dnset:a", "EXAMPLE.com.dn.test"), [("a", 1, ".example.com one")])
        document = self.explain(files, "dn.test:dnset:a", "no.example.com.dn.test")
        self.assertEqual(document["datasets"][0]["verdict"], "excluded")
        # The part before the entries is only an empty non-terminal.
        self.assertIn("names below it exist", self.explain(files, "dn.test:dnset:a", "com.dn.test")["notes"][0])

    def test_generic(self):
        files = {"a": "www A 192.0.2.1\nwww TXT \"hello\"\nother A 192.0.2.2\n"}
        self.assertEqual(self.deciding(files, "g.test:generic:a", "www.g.test"),
                         [("a", 1, "www A 192.0.2.1"), ("a", 2, 'www TXT "hello"')])

    def test_combined(self):
        files = {"a": "$DATASET ip4set:one @\n127.0.0.2 base\n$DATASET ip4set:two sub deep.sub\n127.0.0.2 inner\n"
                      "$DATASET dnset x\nexample.com :9:\n"}
        document = self.explain(files, "c.test:combined:a", "2.0.0.127.deep.sub.c.test")
        self.assertEqual(document["datasets"][0]["subzone"], "deep.sub")
        self.assertEqual([(e["line"], e["text"]) for e in document["datasets"][0]["entries"]], [(4, "127.0.0.2 inner")])
        self.assertEqual(self.deciding(files, "c.test:combined:a", "2.0.0.127.c.test"), [("a", 2, "127.0.0.2 base")])
        self.assertEqual(self.deciding(files, "c.test:combined:a", "example.com.x.c.test"), [("a", 6, "example.com :9:")])

    def test_acl(self):
        files = {"a": "127.0.0.2\n", "acl": "10/8 :ignore\n10.1/16 :refuse\n"}
        spec = ["bl.test:ip4set:a", "bl.test:acl:acl"]
        self.assertIn(("acl", 2, "10.1/16 :refuse"),
                      self.deciding(files, spec, "2.0.0.127.bl.test", "--client=10.1.2.3"))
        document = self.explain(files, spec, "2.0.0.127.bl.test", "--client=10.1.2.3")
        self.assertEqual(document["answers"][0]["rcode"], "REFUSED")
        self.assertIn("refuse", document["datasets"][0]["verdict"])

    def test_several_datasets_and_nested_zones(self):
        files = {"a": "127.0.0.2 one\n", "b": "127.0.0.2 two\n"}
        spec = ["bl.test:ip4set:a", "bl.test:ip4trie:b", "sub.bl.test:ip4set:b"]
        self.assertEqual(len(self.deciding(files, spec, "2.0.0.127.bl.test")), 2)
        document = self.explain(files, spec, "2.0.0.127.sub.bl.test")
        self.assertEqual(document["zone"], "sub.bl.test")
        self.assertEqual(self.explain(files, spec, "x.elsewhere.test")["notes"],
                         ["no zone of the image contains this name: REFUSED"])

    def test_file_that_changed_or_is_compressed(self):
        name = "2.0.0.127.bl.test"
        self.assertEqual(self.deciding({"a": gzip.compress(b"x\n127.0.0.2 zipped\n")}, "bl.test:ip4set:a", name),
                         [("a", 2, "127.0.0.2 zipped")])
        self.write("a", "something else\n")
        entry = self.ok("explain", "--json", "x.mzi", name).json()["datasets"][0]["entries"][0]
        self.assertNotIn("text", entry)
        self.assertEqual(entry["text_missing"], "the file has changed since it was compiled")
        text = self.ok("explain", "x.mzi", name).out
        self.assertIn("=> a:2: 127.0.0.2 (the file has changed since it was compiled)", text)

    def test_without_provenance(self):
        self.write("a", "127.0.0.2\n")
        self.ok("build", "--no-provenance", "-o", "x.mzi", "bl.test:ip4set:a")
        self.assertIn("without provenance", self.ok("explain", "x.mzi", "2.0.0.127.bl.test").out)


class GeneralTest(ToolTest):
    def test_help_version_and_mistakes(self):
        self.assertTrue(self.ok("--help").out.startswith("Examples:\n"))
        self.assertRegex(self.ok("--version").out, r"^mailzone \d+\.\d+\.\d+\n$")
        for verb in "build check dump query explain diff serve refresh rollback spf healthcheck reload status".split():
            result = self.ok(verb, "--help")
            self.assertTrue(result.out.startswith(f"Examples:\n  mailzone {verb}"), verb)
            self.assertEqual(result.err, "")
        result = self.run_tool("biuld")
        self.assertEqual((result.code, result.out), (USAGE, ""))
        self.assertIn("did you mean 'build'?", result.err)
        self.assertIn("did you mean '--output'?", self.run_tool("build", "--ouput", "x").err)
        self.assertEqual(self.run_tool().code, USAGE)

    def test_status_and_reload_without_a_daemon(self):
        self.assertEqual(self.run_tool("status").code, USAGE)
        self.assertEqual(self.run_tool("status", "--stats-page", "nowhere").code, TEMPORARY)
        self.assertEqual(self.run_tool("reload", "nowhere.stats").code, TEMPORARY)
        self.write("garbage", b"x" * 5000)
        self.assertEqual(self.run_tool("status", "garbage").code, FINDINGS)
        self.assertEqual(self.run_tool("reload", "--pid-file", "nowhere").code, UNREADABLE)


if __name__ == "__main__":
    unittest.main()
