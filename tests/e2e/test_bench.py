"""bench/compare runs from one end to the other with tiny workloads: figures for every server, and no times that matter."""
import json
import os
import pathlib
import sys
import xml.dom.minidom

import harness

TOOLS = ("udp_load", "udp_echo", "uring_echo")


def test_compare(t):
    """All servers answer the same, and the result has their figures, a table and charts."""
    binaries = pathlib.Path(t.options.bin).resolve()
    missing = [name for name in TOOLS if not (binaries / name).exists()]
    if missing:
        raise harness.Skip("not built: " + " ".join(missing))
    results = t.directory / "results"
    done = t.run([sys.executable, harness.ROOT / "bench" / "compare", "--budget", "smoke", "--bin", binaries, "--work",
                  t.directory / "work", "--results", results, "--name", "smoke"])
    t.require("bench/compare ends well", done.returncode == 0, done.stdout + done.stderr)
    result = json.loads((results / "smoke.json").read_text())
    t.equal("workloads", [w["key"] for w in result["workloads"]], ["domains-3", "names-20", "dnset-30"])
    forms, names, swap = result["workloads"]
    servers = ["echo (recvmmsg)", "echo (io_uring)", "mailzone uring", "mailzone epoll"]
    t.equal("servers of expurgate's form", [label for label in forms["rows"]],
            servers + ["mailzone uring (SPF zone)", "rbldnsd"])
    t.equal("who cannot hold it", [c["server"] for c in forms["cannot"]], ["NSD", "Knot"])
    peers = ["rbldnsd", "NSD"] + (["Knot"] if os.path.exists("/usr/sbin/knotd") else [])
    t.check("servers of plain names", set(servers + peers) <= set(names["rows"]), list(names["rows"]))
    for w in result["workloads"]:
        for label, row in w["rows"].items():
            if "cpu_us" in row:
                t.check(f"{w['key']}: {label} answered", row["cpu_us"]["median"] > 0 and row["qps"]["median"] > 0, row)
                t.check(f"{w['key']}: {label} used memory", row["memory"]["pss"] > 0, row)
        for label, answers in w["agreement"].items():
            t.check(f"{w['key']}: {label} gives our answers", answers["asked"] > 0 and answers["different"] == 0, answers)
    t.check("about half of the names exist", 0.3 < names["rows"]["NSD"]["hits"] < 0.7, names["rows"]["NSD"])
    for label in ["mailzone uring", "mailzone epoll"] + peers:
        t.check(f"latency of {label}", len(names["rows"][label].get("latency", [])) > 0, names["rows"][label])
        t.check(f"new data for {label} under load", names["rows"][label].get("reload", {}).get("reloads", 0) > 0,
                names["rows"][label])
    for label in ("mailzone uring", "mailzone epoll"):
        t.check(f"image of {label} swapped", swap["rows"][label]["reload"]["reloads"] > 0, swap["rows"])
    for label in ("mailzone uring", "mailzone epoll", "NSD"):
        t.equal(f"TCP of {label}", {mode for mode, x in names["rows"][label].get("tcp", {}).items() if x["qps"]["median"] > 0},
                {"pipelined", "one per connection"})
    t.check("time of a build", forms["build"]["mailzone"]["wall"]["median"] > 0, forms["build"])
    readme = t.run([sys.executable, harness.ROOT / "bench" / "compare", "--readme", results / "smoke.json"])
    t.check("the README's table", readme.returncode == 0 and "new data under load" in readme.stdout, readme.stderr)
    table = (results / "smoke.md").read_text()
    for heading in ("Goals", "CPU per answered query", "Throughput", "Memory", "Latency", "New data under load"):
        t.check(f"the table has {heading}", f"\n## {heading}\n" in table, table)
    for name in ("cpu", "memory", "latency"):
        chart = results / f"smoke-{name}.svg"
        t.check(f"chart {name}", chart.exists() and xml.dom.minidom.parse(str(chart)).documentElement.tagName == "svg")
        t.check(f"the table shows chart {name}", f"({chart.name})" in table)
