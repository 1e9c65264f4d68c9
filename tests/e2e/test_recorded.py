"""Replays tests/data/rbldnsd_cases.json: what Debian's rbldnsd answered, logged and dumped for 127 set-ups.

Each case has data files, options and queries with the recorded replies. Differences that are meant stand in
tests/data/rbldnsd_deviations.json as patches of the recorded expectation, each naming its row of
docs/COMPATIBILITY.md:

  {"row": "ent-nodata", "case": "dnset", "query": "com.bl.test IN A", "expect": {"rcode": "NOERROR"}}

A patched expectation is compared as strictly as a recorded one, so an unlisted difference fails, and so does a listed
one that no longer occurs. "query" may be a number (position in the case) or absent for start and dump cases;
null takes a field away. With --server the list is ignored: the reference itself must pass without it.
"""
import base64
import gzip
import json
import os
import signal
import subprocess
import time

import dnswire
import harness

QUERY_FIELDS = ("rcode", "flags", "opcode", "question", "answer", "authority", "additional", "noreply", "trailing")


def load_cases():
    return json.loads((harness.DATA / "rbldnsd_cases.json").read_text())


def query_label(query):
    return f"{query.get('qname', 'raw')} {query.get('qclass', 'IN')} {query.get('qtype', query.get('raw', ''))}"


def to_query(case_query):
    send = case_query.get("send", {})
    flags = tuple(name for name in dnswire.FLAG_BITS if send.get(name))
    return dnswire.Query(
        case_query["qname"], case_query["qtype"], case_query.get("qclass", "IN"), flags=flags,
        opcode=send.get("opcode", 0), rcode=send.get("rcode", 0), edns=send.get("edns"),
        edns_version=send.get("edns_version", 0), edns_flags=0x8000 if send.get("do") else 0,
        question_count=send.get("qdcount", 1), questions=send.get("questions"),
        trailing=bytes.fromhex(send.get("trail", "")))


def file_content(value):
    data = base64.b64decode(value["b64"]) if "b64" in value else value.get("text", "").encode("latin1")
    if value.get("gzip"):
        data = gzip.compress(data, mtime=0)
    return data[:value["cut"]] if "cut" in value else data


def write_case_file(directory, name, value):
    if not isinstance(value, dict):
        value = {"text": value}
    harness.write_file(directory / name, file_content(value), value.get("mtime", harness.DEFAULT_MTIME),
                       value.get("mode", 0o644))


def exchange(default_client, case_query):
    """Sends one recorded query; the reply in the recorded form."""
    source = case_query.get("send", {}).get("src")
    client = harness.Client(default_client.port, source=source) if source else default_client
    try:
        return exchange_from(client, case_query)
    finally:
        if source:
            client.close()


def exchange_from(client, case_query):
    client.next_id = client.next_id % 0xffff + 1
    if "raw" in case_query:
        message = client.next_id.to_bytes(2, "big") + bytes.fromhex(case_query["raw"].replace(" ", ""))
    else:
        message = to_query(case_query).encode(client.next_id)
    octets = client.exchange(message, 0.4 if case_query.get("noreply") else 2.0)
    if octets is None:
        return {"noreply": True}
    try:
        reply = dnswire.decode(octets)
    except dnswire.Malformed as error:
        return {"malformed": str(error), "hex": octets.hex()}
    shown = {"rcode": reply.rcode, "flags": reply.flags, "question": reply.question,
             "answer": reply.texts("answer"), "authority": reply.texts("authority"),
             "additional": reply.texts("additional") + ([str(reply.opt)] if reply.opt else [])}
    if reply.opcode:
        shown["opcode"] = reply.opcode
    if reply.trailing:
        shown["trailing"] = reply.trailing
    return shown


def fold_names(record):
    """Names compare without case, TXT strings with it."""
    before, quote, after = record.partition('"')
    return before.lower() + quote + after


def differences(want, got, ordered=False):
    """Fields of a reply that differ, as (field, want, got). Sections compare as multisets."""
    found = []
    for field in (*QUERY_FIELDS, "malformed"):
        left, right = want.get(field), got.get(field)
        if field in ("answer", "authority", "additional"):
            left, right = [fold_names(x) for x in left or []], [fold_names(x) for x in right or []]
            if not ordered:
                left, right = sorted(left), sorted(right)
        if left != right and (left or right):
            found.append((field, left, right))
    return found


class Deviations:
    """The patches, and which of them were used."""

    def __init__(self, enabled):
        path = harness.DATA / "rbldnsd_deviations.json"
        self.entries = json.loads(path.read_text()) if enabled else []
        self.used = set()

    def patch(self, case, position, label, want):
        for index, entry in enumerate(self.entries):
            if entry["case"] == case and entry.get("query", position) in (position, label):
                self.used.add(index)
                want = {**want, **entry["expect"]}
                want = {field: value for field, value in want.items() if value is not None}
        return want

    def covers(self, case):
        return any(entry["case"] == case for entry in self.entries)


def apply_pre(directory, process, pre):
    for name, value in pre.get("write", {}).items():
        write_case_file(directory, name, value)
    for name in pre.get("delete", []):
        (directory / name).unlink()
    if "signal" in pre:
        process.signal(getattr(signal, "SIG" + pre["signal"]))
    time.sleep(pre.get("sleep", 0.25))


def run_dump(t, case, directory, program):
    argv = [program or t.binary("rbldnsd"), "-d", "-w", directory, *case.get("options", [])]
    argv += [zone["spec"] for zone in case["zones"]]
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    lines = [line for line in done.stdout.decode("latin1").splitlines() if not line.startswith("; ")]
    return {"exit": done.returncode, "stdout": lines}


def run_start(t, case, directory, program):
    specs = [zone["spec"] for zone in case["zones"]]
    process, client = t.start_rbldnsd(specs, case.get("options", []), directory, program, ready=False)
    harness.wait_until(lambda: not process.running() or " started (" in process.stdout() or client.ready(), 10)
    time.sleep(0.1)
    result = {"exit": process.popen.poll(), "stdout": harness.normalise_log(process.stdout(), directory),
              "stderr": harness.normalise_log(process.stderr(), directory)}
    process.stop()
    return result


def run_queries(t, case, directory, program, deviations):
    specs = [zone["spec"] for zone in case["zones"]]
    process, client = t.start_rbldnsd(specs, case.get("options", []), directory, program, ready=False)
    # An acl may drop the readiness probe: then the "started" line must do.
    harness.wait_until(lambda: not process.running() or " started (" in process.stdout() or client.ready(), 10)
    if not process.running():
        want = deviations.patch(case["name"], None, "start", {"died": case.get("expect", {}).get("died")})
        got = {"died": process.popen.returncode}
        t.equal(f"{case['name']}: exit code of a server that cannot start", got, want)
        return
    if "expect" in case:            # the reference died at start
        deviations.patch(case["name"], None, "start", {})
        t.check(f"{case['name']}: starts where rbldnsd dies", deviations.covers(case["name"]))
    for position, query in enumerate(case["queries"]):
        if "pre" in query:
            apply_pre(directory, process, query["pre"])
        want = deviations.patch(case["name"], position, query_label(query), query)
        got = exchange(client, want)
        bad = differences(want, got, query.get("ordered"))
        t.check(f"{case['name']}[{position}] {query_label(query)}", not bad,
                "; ".join(f"{field}: want {left} got {right}" for field, left, right in bad))
    t.check(f"{case['name']}: still running", process.running() or "crashed" in case)
    process.stop()
    client.close()


def compare_logs(t, case, got, want):
    """Log lines compare as multisets: stdout and stderr are two streams."""
    for stream in ("stdout", "stderr"):
        t.equal(f"{case['name']}: {stream} at start", sorted(got[stream]), sorted(want[stream]))


@harness.backends
def test_cases(t):
    program = t.options.server
    deviations = Deviations(enabled=program is None)
    for case in load_cases():
        directory = t.new_directory()
        for zone in case["zones"]:
            for name, value in zone.get("files", {}).items():
                write_case_file(directory, name, value)
        kind = case.get("kind", "query")
        if kind == "query":
            run_queries(t, case, directory, program, deviations)
            continue
        want = deviations.patch(case["name"], None, kind, case["expect"])
        got = (run_dump if kind == "dump" else run_start)(t, case, directory, program)
        t.equal(f"{case['name']}: exit code", got["exit"], want.get("exit"))
        if kind == "dump":
            t.equal(f"{case['name']}: dump", got["stdout"], want["stdout"])
        else:
            compare_logs(t, case, got, want)
    unused = [entry for index, entry in enumerate(deviations.entries) if index not in deviations.used]
    t.equal("every listed deviation belongs to a case and query", unused, [])
