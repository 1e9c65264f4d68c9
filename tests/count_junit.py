#!/usr/bin/env python3
"""Prints "PASSED FAILED" for a CTest run: count_junit.py REPORT.xml LastTest.log

Test programs count once each. A test that GoogleTest skipped inside a program that passed counts as failed too: a skip
must be seen.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree


def main():
    report, log = map(pathlib.Path, sys.argv[1:3])
    try:
        suite = xml.etree.ElementTree.parse(report).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        print("0 1")
        return
    cases = suite.findall("testcase")
    passed = sum(case.get("status") == "run" for case in cases)
    skipped = 0
    if log.exists():
        skipped = len(re.findall(r"^\[  SKIPPED \] .* \(\d+ ms\)$", log.read_text(errors="replace"), re.MULTILINE))
    print(passed, len(cases) - passed + skipped if cases else 1)


main()
