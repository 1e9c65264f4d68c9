"""The result of bench/compare as Markdown, as a list of goals, and as charts."""
import os

import plot
from servers import ECHOES

URING, EPOLL, SPF = "mailzone uring", "mailzone epoll", "mailzone uring (SPF zone)"


# ------------------------------------------------------------------------------------------------------ formats
def number(value):
    if value is None:
        return "–"
    if value < 0:
        return "-" + number(-value)
    if value >= 100 or value == int(value):
        return "{:,.0f}".format(value)
    return "%.1f" % value if value >= 10 else "%.2f" % value if value >= 0.1 else "%.2g" % value


def spread(s):
    if s["repetitions"] == 1:
        return number(s["median"])
    return "%s (%s–%s)" % (number(s["median"]), number(s["min"]), number(s["max"]))


def size(octets):
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if octets >= limit:
            return "%.3g %s" % (octets / limit, unit)
    return "%.3g B" % octets


def seconds(s):
    return "%.3g s" % s if s >= 1 else "%.3g ms" % (s * 1000)


def table(head, rows):
    if not rows:
        return []
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(r) + " |" for r in rows] + [""]


def labels(result):
    """All servers, in the order of their first appearance."""
    found = {}
    for w in result["workloads"]:
        for label in [*w["rows"], *(c["server"] for c in w["cannot"])]:
            found.setdefault(label)
    return list(found)


def matrix(result, show, reasons=False):
    """One row a server, one column a workload. `reasons`: with footnotes on what cannot be."""
    notes, rows = [], []
    workloads = [w for w in result["workloads"] if any("cpu_us" in r for r in w["rows"].values())]
    for label in labels(result):
        row = [label]
        for w in workloads:
            reason = next((c["reason"] for c in w["cannot"] if c["server"] == label), None)
            if reason:
                if reason not in notes:
                    notes.append(reason)
                row.append("cannot hold [%d]" % (notes.index(reason) + 1) if reasons else "–")
            else:
                row.append((show(w, w["rows"][label]) if label in w["rows"] else None) or "")
        if any(cell not in ("", "–") or reasons for cell in row[1:] if cell):
            rows.append(row)
    head = ["server"] + [w["title"] for w in workloads]
    return table(head, rows) + ([line for i, n in enumerate(notes) for line in ("[%d] %s" % (i + 1, n), "")] if reasons else [])


# ------------------------------------------------------------------------------------------------------ goals
def goals(result):
    """[{what, goal, value, met}] of what this run measured."""
    found = []

    def add(what, goal, values, at_most, unit=""):
        values = [v for v in values if v is not None]
        if values:
            value = max(values) if at_most else min(values)
            found.append({"what": what, "goal": "%s %g%s" % ("≤" if at_most else "≥", goal, unit), "value": value,
                          "unit": unit, "met": value <= goal if at_most else value >= goal})

    def cpu(w, label):
        return w["rows"][label]["cpu_us"]["median"] if "cpu_us" in w["rows"].get(label, {}) else None

    def ratio(a, b):
        return a / b if a is not None and b else None

    def best_echo(w):
        return min(cpu(w, e) for e in ECHOES if cpu(w, e) is not None)

    form = [w for w in result["workloads"] if w["kind"] in ("domains", "spf")]
    ours = [ratio(cpu(w, label), best_echo(w)) for w in form if w["count"] <= 20000 for label in (URING, SPF)]
    add("our answers / best bare echo, up to 20,000 domains (worst)", 1.05, ours, True)
    add("the same at 1,000,000 domains", 1.10, [ratio(cpu(w, SPF), best_echo(w)) for w in form if w["count"] > 20000], True)
    add("epoll backend / recvmmsg echo, up to 20,000 domains (worst)", 1.10,
        [ratio(cpu(w, EPOLL), cpu(w, ECHOES[0])) for w in form if w["count"] <= 20000], True)
    add("our answers / best bare echo, hardly two queries from the same port (worst)", 1.05,
        [ratio(w["rows"][label]["ports"]["median"], min(w["rows"][e]["ports"]["median"] for e in ECHOES if e in w["rows"]))
         for w in form if w["count"] <= 20000 for label in (URING, SPF) if "ports" in w["rows"].get(label, {})], True)
    for count, goal in ((1, 1.05), (570, 3), (5000, 9), (20000, 150)):
        add("rbldnsd / ours at %s domain%s" % ("{:,}".format(count), "s" if count > 1 else ""), goal,
            [ratio(cpu(w, "rbldnsd"), cpu(w, URING)) for w in form if w["count"] == count], False)
    for peer, goal in (("NSD", 1.25), ("Knot", 1.35)):
        add("%s / ours, what it can hold (worst)" % peer, goal,
            [ratio(cpu(w, peer), cpu(w, URING)) for w in result["workloads"]], False)
    for name, goal, what in (("AnswerBatch/domains:1/batch:32", 50, "one domain, warm"),
                             ("AnswerBatch/domains:20000/batch:32", 95, "20,000 domains"),
                             ("SpfZone/domains:20000/batch:32", 95, "20,000 domains, SPF zone"),
                             ("SpfZone/domains:1000000/batch:32", 130, "1,000,000 domains, SPF zone")):
        row = result.get("answer_engine", {}).get(name)
        add("answer engine alone, batched: " + what, goal, [row and row["median"]], True, " ns")
    for label, what in ((URING, "data files"), (SPF, "SPF zone")):
        add("memory per domain, rbldnsd / ours (%s), 20,000 domains" % what, 100,
            [ratio(w["rows"]["rbldnsd"]["bytes_each"], w["rows"][label]["bytes_each"]) for w in form
             if w["count"] == 20000 and "rbldnsd" in w["rows"] and label in w["rows"]], False)
    reloads = [(w, w["rows"][URING]["reload"]) for w in result["workloads"] if "reload" in w["rows"].get(URING, {})]
    if reloads:
        w, r = max(reloads, key=lambda pair: pair[0]["image_bytes"])
        name = "image of %s swapped under load%s" % (size(w["image_bytes"]), ", not the first time" if r.get("settled") else "")
        add(name + ": queries lost", 0, [r["lost"]], True)
        add(name + ": added latency at p99.9", 100, [r["p999_us"] - r["steady_p999_us"]], True, " µs")
    for w in result["workloads"]:
        if "rbldnsd" in w.get("build", {}) and w["kind"] == "list":
            add("text to image, %s: rbldnsd's load / our build" % w["title"], 2,
                [ratio(w["build"]["rbldnsd"]["wall"]["median"], w["build"]["mailzone"]["wall"]["median"])], False)
        for mode in w["rows"].get("NSD", {}).get("tcp", {}):
            ours = [r["tcp"][mode] for label, r in w["rows"].items() if label in (URING, EPOLL) and mode in r.get("tcp", {})]
            add("TCP answers per second, %s: ours / NSD" % mode, 1.2,
                [ratio(max((x["qps"]["median"] for x in ours), default=None), w["rows"]["NSD"]["tcp"][mode]["qps"]["median"])],
                False)
            # Where the client is the limit, the rates of all servers are its own.
            add("TCP, CPU per answer, %s: NSD / ours" % mode, 1.2,
                [ratio(w["rows"]["NSD"]["tcp"][mode]["cpu_us"]["median"],
                       min((x["cpu_us"]["median"] for x in ours), default=None))], False)
    return found


# ------------------------------------------------------------------------------------------------------ Markdown
def markdown(result, charts):
    m, ws = result["machine"], result["workloads"]
    quiet = "quiet" if result["quiet"] else (
        "NOT QUIET: others used up to %.0f %% of the cores, and took the server's core for up to %s ms at a time; take ratios as "
        "hints" % (100 * result["busiest"], number(result.get("taken_ms", 0))))
    out = ["# Comparison of %s" % result["date"], "",
           "%s, %d cores used of %d, %s, Linux %s. Server on core %d, client on core %d, loopback; one worker each. Budget %s, "
           "%d repetitions of %g s, interleaved; medians (lowest–highest). Load average at the start %.2f; %s. mailzone %s; %s." % (
               m["cpu"], min(2, m["cores"]), m["cores"], size(m["memory_bytes"]), m["kernel"], m["server_core"],
               m["client_core"], result["budget"], result["repetitions"], result["seconds"], result["load_average"], quiet,
               result["versions"]["mailzone"], ", ".join("%s %s" % v for v in result["versions"].items() if v[0] != "mailzone")),
           ""]
    out += ["## Goals", ""] + table(["what", "goal", "this run", ""], [
        [g["what"], g["goal"], number(g["value"]) + g["unit"], "met" if g["met"] else "**not met**"] for g in goals(result)])
    out += ["## CPU per answered query", "", "Microseconds, user and system, of all threads of the server.", ""]
    out += matrix(result, lambda w, r: "cpu_us" in r and spread(r["cpu_us"]), reasons=True)
    out += ["![%s](%s)" % (title, name) for name, title in charts] + [""] if charts else []
    out += ["## CPU per answered query, many client ports", "", "Asked one by one from 1,000 ports: what resolvers with random "
            "ports get. Above, from 8 ports, mailzone sends replies of equal length to the same port together.", ""]
    out += matrix(result, lambda w, r: "ports" in r and spread(r["ports"]))
    out += ["## Throughput", "", "Answers per second on one core, closed window; in brackets the mean size of an answer.", ""]
    out += matrix(result, lambda w, r: "qps" in r and "%s (%.0f B)" % (number(r["qps"]["median"]), r["answer_bytes"]))
    out += ["## Memory", "", "Proportional set size after the load (of it mapped files), and for each domain or name.", ""]
    out += matrix(result, lambda w, r: "memory" in r and "%s (%s)%s" % (
        size(r["memory"]["pss"]), size(r["memory"]["file"]),
        ", %s each" % size(r["bytes_each"]) if w["count"] > 1 and "bytes_each" in r else ""))
    out += ["## From start to first answer", ""]
    out += matrix(result, lambda w, r: "start_s" in r and seconds(r["start_s"]))
    out += ["## Latency", "", "Microseconds from the scheduled time of a query, open loop; a server that cannot hold a rate is "
            "asked half of what it can. *late* is the client's own worst delay: maxima below it mean nothing.", ""]
    out += table(["workload", "server", "queries/s", "p50", "p99", "p99.9", "max", "lost", "late"], [
        [w["title"], label, number(x["rate"])] + [number(x[k]) for k in ("p50_us", "p99_us", "p999_us", "max_us")] +
        [str(x["lost"]), number(x["late_us"])] for w in ws for label, r in w["rows"].items() for x in r.get("latency", [])])
    out += ["## New data under load", "", "Queries at a fixed rate while the data are replaced again and again; *gap* is the "
            "longest time without any answer. Server, reload and all on one core. *Not the first time*: the image goes "
            "into the memory of the one before (docs/decisions/0003-image-memory.md).", ""]
    out += table(["workload", "server", "queries/s", "reloads", "each took", "lost", "of", "longest gap", "p99.9",
                  "steady p99.9", "steady gap", "remark"], [
        [w["title"], label, number(x["rate"]), str(x["reloads"]), seconds(x["reload_s"]) if x["reload_s"] else "not done in time",
         str(x["lost"]), str(x["sent"]), "%s ms" % number(x["gap_ms"]), "%s µs" % number(x["p999_us"]) if x["p999_us"] else "–",
         "%s µs" % number(x["steady_p999_us"]), "%s ms" % number(x["steady_gap_ms"]),
         "; ".join(filter(None, ["not the first time" if x.get("settled") else "", x["note"]]))]
        for w in ws for label, r in w["rows"].items() for x in ([r["reload"]] if "reload" in r else [])])
    out += ["## Text to data ready to serve", "", "mailzone: parse, compile, write and verify the image, on all cores; "
            "rbldnsd: its own figure of its load.", ""]
    out += table(["workload", "program", "wall", "CPU", "peak memory", "text", "image"], [
        [w["title"], p] + ["%s s" % spread(w["build"][p][k]) for k in ("wall", "cpu")] +
        [size(w["build"][p]["peak_kib"]["median"] * 1024) if w["build"][p]["peak_kib"]["median"] else "small",
         size(w["build"]["text_bytes"]), size(w["build"]["image_bytes"]) if p == "mailzone" else ""]
        for w in ws if "build" in w for p in ("mailzone", "rbldnsd") if p in w["build"]])
    out += ["## TCP", "", "Answers per second, CPU microseconds per answer, and connections that failed or were cut.", ""]
    out += table(["workload", "server", "mode", "answers/s", "CPU", "failed"], [
        [w["title"], label, mode, spread(x["qps"]), spread(x["cpu_us"]), number(x["failed"]["max"])]
        for w in ws for label, r in w["rows"].items() for mode, x in r.get("tcp", {}).items()])
    out += ["## dnsperf as a cross-check", ""]
    out += table(["workload", "server", "queries/s", "CPU µs per query", "lost"], [
        [w["title"], label, spread(r["dnsperf"]["qps"]), spread(r["dnsperf"]["cpu_us"]), number(r["dnsperf"]["lost"]["max"])]
        for w in ws for label, r in w["rows"].items() if "dnsperf" in r])
    out += ["## Are the answers the same?", "", "The same questions to each server, compared with ours (record data and return "
            "code).", ""]
    out += table(["workload", "server", "asked", "different", "example"], [
        [w["title"], label, str(x["asked"]), str(x["different"]), x.get("example", "")]
        for w in ws for label, x in w["agreement"].items() if label != URING])
    left = ["%s: %s" % (w["title"], what) for w in ws for what in w["left_out"]] + result["left_out"]
    if left:
        out += ["## Left out", ""] + ["- " + line for line in left] + [""]
    return "\n".join(without_empty(out))


def without_empty(parts):
    """Drops headings that nothing follows."""
    out = []
    for i, line in enumerate(parts):
        if line.startswith("## "):
            body = []
            for following in parts[i + 1:]:
                if following.startswith("## "):
                    break
                body.append(following)
            if not any(b.startswith(("|", "- ")) for b in body):
                out.append(None)
                continue
        out.append(line if not (out and out[-1] is None and not line.startswith("## ")) else None)
    return [line for line in out if line is not None]


def readme(result):
    """The lines of the README's table."""
    found = {w["key"]: w for w in result["workloads"]}
    peers = ("rbldnsd", "NSD", "Knot")

    def cells(w, show, ours=URING):
        rows = w["rows"]
        ours = ours if ours in rows else SPF
        return [show(rows[ours]) if ours in rows else "–"] + [show(rows[p]) if p in rows else "cannot" for p in peers]

    rows = []
    for key in ("domains-1", "domains-20000", "spf-1000000", "names-20000", "dnset-5000000"):
        if key in found:
            w = found[key]
            echo = min(w["rows"][e]["cpu_us"]["median"] for e in ECHOES if e in w["rows"])
            rows.append(["CPU per answered UDP query, %s (bare echo %s µs)" % (w["title"], number(echo))] +
                        cells(w, lambda r: number(r["cpu_us"]["median"]) + " µs"))
    if "domains-20000" in found:
        rows.append(["memory, 20,000 domains in expurgate's form; as SPF zone %s" %
                     size(found["domains-20000"]["rows"][SPF]["memory"]["pss"])] +
                    cells(found["domains-20000"], lambda r: size(r["memory"]["pss"])))
    for w in found.values():
        if w["kind"] == "list" and "rbldnsd" in w.get("build", {}):
            rows.append(["text to data ready to serve, %s" % w["title"]] +
                        ["%s s" % number(w["build"][p]["wall"]["median"]) for p in ("mailzone", "rbldnsd")] + ["–", "–"])
        if w["kind"] in ("list", "names") and any("reload" in r for r in w["rows"].values()):
            def shown(r):
                x = r.get("reload")
                return "%s of %s, %s ms" % (number(x["lost"]), number(x["sent"]), number(x["gap_ms"])) if x else "–"
            rows.append(["new data under load, %s: queries lost, longest gap" % w["title"]] + cells(w, shown))
    head = "one run of %s, %s, loopback, one core each; ratios are what counts" % (result["date"][:10], result["machine"]["cpu"])
    return table([head, "mailzone", *peers], rows)


# ------------------------------------------------------------------------------------------------------ charts
def charts(result, stem):
    """Writes the charts. -> [(file name, title)]"""
    form = [w for w in result["workloads"] if w["kind"] in ("domains", "spf")]
    subtitle = "%s, one core, loopback, %s" % (result["machine"]["cpu"], result["date"])

    def over_domains(value):
        series = {}
        for w in form:
            for label, r in w["rows"].items():
                v = value(r)
                if v:
                    series.setdefault(label, []).append((w["count"], v))
        return series

    made, names = [], labels(result)

    def write(name, title, svg):
        if svg:
            path = "%s-%s.svg" % (stem, name)
            with open(path, "w") as out:
                out.write(svg)
            made.append((os.path.basename(path), title))

    title = "CPU time per answered query"
    write("cpu", title, plot.lines(title, subtitle, "domains", "microseconds per query",
                                   over_domains(lambda r: "cpu_us" in r and r["cpu_us"]["median"]), names))
    title = "Memory per domain"
    write("memory", title, plot.lines(title, subtitle, "domains", "octets per domain",
                                      over_domains(lambda r: r.get("bytes_each")), names))
    groups = {}
    for w in result["workloads"]:
        rows = [("%s, %s/s" % (label, plot.short(x["rate"])), [x["p50_us"], x["p99_us"], x["p999_us"]])
                for label, r in w["rows"].items() for x in r.get("latency", [])]
        if rows:
            groups[w["title"]] = rows
    title = "Latency at fixed rates"
    write("latency", title, plot.dots(title, subtitle, "microseconds from the scheduled time", groups, ["p50", "p99", "p99.9"]))
    return made

