#!/usr/bin/env python3
"""Runs the end-to-end tests: every test_*(t) of every test_*.py in this folder.

  tests/e2e/run.py                                   against build/release/bin
  tests/e2e/run.py --only recorded --verbose
  tests/e2e/run.py --only differential --seconds 600 --seed 7
  tests/e2e/run.py --only spf.random --rounds 20000 --seed 7

Prints failing checks (all with --verbose), one line per test, and totals as its last line; --totals FILE also writes
"PASSED FAILED" there for tests/run.sh. A test that cannot run on this machine is shown as SKIP and counts as failed.
Exit code 1 when anything failed.
"""
import argparse
import importlib
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import harness  # noqa: E402  (needs the path above)


def discover():
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                yield path.stem.removeprefix("test_"), name.removeprefix("test_"), function


def run_one(name, function, options, io):
    test = harness.Test(name, options, io)
    begun = time.monotonic()
    verdict = "ok"
    try:
        function(test)
    except harness.Skip as reason:
        test.failed.append("skipped")
        verdict = f"SKIP ({reason})"
    except Exception as error:  # a test that breaks is a failed check, the others go on
        test.failed.append("raised")
        print(f"  FAIL  {name}: raised {type(error).__name__}")
        traceback.print_exc(limit=-4, file=sys.stdout)
    finally:
        test.finish()
    if test.failed and verdict == "ok":
        verdict = f"FAILED {len(test.failed)}"
    print(f"{name}: {test.passed} checks passed, {verdict}, {time.monotonic() - begun:.1f} s", flush=True)
    return test.passed, len(test.failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(harness.ROOT / "build" / "release" / "bin"), help="where the programs are")
    parser.add_argument("--only", default="", help="tests whose name contains this; several with commas")
    parser.add_argument("--io", choices=harness.BACKENDS, help="only this I/O backend")
    parser.add_argument("--seed", type=int, default=1, help="of random inputs")
    parser.add_argument("--seconds", type=float, default=60, help="time box of the random tests")
    parser.add_argument("--rounds", type=int, default=0, help="differential and spf tests: this many setups or zone sets, no time box")
    parser.add_argument("--server", help="differential and recorded tests: another program in place of our rbldnsd")
    parser.add_argument("--totals", help="write 'PASSED FAILED' to this file")
    parser.add_argument("--keep", action="store_true", help="leave the work directories")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()

    passed = failed = 0
    wanted = [word for word in options.only.split(",") if word]
    for group, name, function in discover():
        for io in getattr(function, "backends", (None,)):
            full_name = f"{group}.{name}" + (f"/{io}" if io else "")
            if wanted and not any(word in full_name for word in wanted) or options.io and io and io != options.io:
                continue
            if options.list:
                print(full_name)
                continue
            ok, bad = run_one(full_name, function, options, io or options.io or "uring")
            passed, failed = passed + ok, failed + bad
    if options.totals:
        pathlib.Path(options.totals).write_text(f"{passed} {failed}\n")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
