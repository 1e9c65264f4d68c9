#!/usr/bin/env python3
"""Benchmarks of SPF hosting, every comparison beside a floor in the same run.

  bench/run.py                    all four, about 6 minutes
  bench/run.py spf-cold           no state to a verified image of 570 customers, over a DNS that is far away
  bench/run.py spf-compile        5,000 and 100,000 customers from recorded answers
  bench/run.py spf-change         a provider's changed answer to the changed answer served, at 5,000 customers
  bench/run.py spf-million        1,000,000 customers: build, image, and CPU per answered query beside 1 customer

Builds what it needs (not with --bin); nsd and unbound have to be there. The server runs on one core,
the client on another; keep the machine quiet. Ratios within one run are the result: absolute times on shared machines
are not.
"""
import argparse
import json
import os
import tempfile

import measure
import spf
from measure import HERE
from servers import Stage

SCENARIOS = {"spf-cold": spf.cold, "spf-compile": spf.compile_recorded, "spf-change": spf.change, "spf-million": spf.million}


class Bench(Stage):
    def __init__(self, args):
        super().__init__(args.work, open(os.path.join(args.work, "servers.log"), "w"))
        self.args = args


def show(name, result):
    print("\n== %s" % name)
    for label, row in result["rows"].items():
        print("  %-36s %s" % (label, "  ".join("%s %s" % (k, "%.4g" % v if isinstance(v, float) else v) for k, v in row.items())))
    for label, value in result["ratios"].items():
        print("  %-60s %.3f" % (label, value))


def numbers(of):
    return lambda text: [of(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], default=[])
    parser.add_argument("--bin", help="directory of finished executables: nothing is built")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--customers", type=numbers(int), default=[570, 5000, 100000, 1000000],
                        help="of spf-cold; spf-compile and spf-change; spf-compile; spf-million")
    parser.add_argument("--delays", type=numbers(float), default=[0, 60], help="of spf-cold: milliseconds of every DNS question")
    parser.add_argument("--changes", type=int, default=20, help="of spf-change")
    parser.add_argument("--work", help="directory for generated data, kept (default: a temporary one)")
    parser.add_argument("--results", default=os.path.join(HERE, "results", "latest.json"), help="file for the figures")
    args = parser.parse_args()
    if args.bin:
        measure.bin_directory = os.path.abspath(args.bin)
    else:
        measure.build()
    if args.work:
        os.makedirs(args.work, exist_ok=True)
    else:
        holder = tempfile.TemporaryDirectory(prefix="mailzone-bench.")
        args.work = holder.name
    os.chmod(args.work, 0o755)
    bench, results = Bench(args), {}
    for name in args.scenarios or SCENARIOS:
        results[name] = SCENARIOS[name](bench)
        show(name, results[name])
    os.makedirs(os.path.dirname(os.path.abspath(args.results)), exist_ok=True)
    with open(args.results, "w") as out:
        json.dump(results, out, indent=1)
    print("\nwritten: " + os.path.relpath(args.results))


if __name__ == "__main__":
    main()
