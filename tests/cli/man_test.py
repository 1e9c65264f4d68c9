#!/usr/bin/env python3
"""The manual pages name every option and key that the programs have, and no other."""
import pathlib
import re
import shutil
import subprocess
import unittest

from tool import BIN, USAGE, ToolTest

MAN = pathlib.Path(__file__).resolve().parents[2] / "docs/man"
VERBS = "build check dump query explain diff serve refresh rollback spf healthcheck load reload status".split()
SUB_VERBS = {"spf": "check tree publish explain diff changes held ack emit".split(),
             "healthcheck": "list keygen new explain send matrix".split()}


def options_of_help(text):
    """Names at the beginning of option lines: "  -o, --output IMAGE  ..."."""
    found = set()
    for line in text.split("Options:\n")[1].splitlines():
        if line.startswith("  -"):
            left = re.split(r"\s{2,}", line.strip())[0]
            found.update(re.findall(r"(?<![\w=|:\[-])--?[A-Za-z0-9][\w-]*", left))
    return found


def options_of_page(page, items_only=True):
    found = set()
    for line in page.splitlines():
        if line.startswith(".It Fl") if items_only else ".Fl" in line or line.startswith(".It Fl"):
            words = line.removeprefix(".It ").removeprefix(".").split()
            flag = False
            for word in words:
                if word == "Fl":
                    flag = True
                elif word in ("Ns", "Ar", "Cm", "Oo", "Oc", "Op", "No"):
                    flag = False
                elif flag and word not in (",", ".", ";", ":"):
                    found.add("-" + word)
    return found


class ManTest(ToolTest):
    def page(self, name):
        return (MAN / name).read_text()

    def test_every_verb(self):
        self.assertEqual(set(VERBS), {p.name[9:-2] for p in MAN.glob("mailzone-*.1")})
        for verb in VERBS:
            # One page for all of `mailzone spf`, and one for `mailzone healthcheck`.
            calls = [(verb, sub) for sub in SUB_VERBS[verb]] if verb in SUB_VERBS else [(verb,)]
            there = set().union(*(options_of_help(self.ok(*c, "--help").out) for c in calls)) - {"-h", "--help"}
            page = self.page(f"mailzone-{verb}.1")
            self.assertEqual(there, options_of_page(page, items_only=verb not in ("serve", "refresh")), verb)

    def test_overview_names_every_verb(self):
        page = self.page("mailzone.1")
        for verb in VERBS:
            self.assertIn(f".It Cm {verb}\n", page)

    def test_mailzoned(self):
        text = subprocess.run([BIN / "mailzoned", "--help"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(options_of_help(text), options_of_page(self.page("mailzoned.8")))

    def test_rbldnsd(self):
        text = subprocess.run([BIN / "rbldnsd", "-h"], capture_output=True, text=True, check=True).stdout
        there = set(re.findall(r"(?m)^ (-\w)\b", text)) | set(re.findall(r"-A(?=,)|(?<=, )-\w\b", text))
        there |= set(re.findall(r"--[a-z-]+", text))
        page = options_of_page(self.page("mailzone-rbldnsd.8")) - {"-h", "--help", "--version"}
        self.assertEqual(there, page)

    def test_every_key(self):
        page = self.page("mailzone.toml.5")
        for section in ("server", "build", "watch", "zone", "resolver", "spf"):
            head = "[[zone]]" if section == "zone" else f"[{section}]"
            self.write("m.toml", f"{head}\nno_such_key_at_all = 1\n")
            result = self.run_tool("build", "m.toml")
            self.assertEqual(result.code, USAGE)
            known = set(re.search(r"known keys: (.*)", result.err).group(1).split(", "))
            part = page.split(f".Sh {head}\n")[1].split("\n.Sh ")[0]
            described = set()
            for line in re.findall(r"(?m)^\.It (Va .*)$", part):
                for keys in re.findall(r"Va (.*?)(?: No |$)", line):
                    described.update(re.findall(r"\w+", keys))
            self.assertEqual(known, described, section)

    def test_pages_are_well_formed(self):
        for path in MAN.glob("*.[158]"):
            heads = re.findall(r"(?m)^\.Sh (.*)$", path.read_text())
            self.assertEqual(heads[0], "NAME", path.name)
            self.assertLess(heads.index("EXAMPLES"), heads.index("DESCRIPTION"), path.name)
            self.assertEqual(heads[-1], "SEE ALSO", path.name)
            if not shutil.which("groff"):  # a formatter is no dependency of the tests
                continue
            result = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stderr), (0, ""), path.name)


if __name__ == "__main__":
    unittest.main()
