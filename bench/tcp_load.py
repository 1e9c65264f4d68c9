"""TCP load of bench/compare, by `mailzone load`: many queries on each connection, and one on each."""
import json
import subprocess
import tempfile

from measure import CLIENT_CORE, program

CONNECTIONS = 64
MODES = {"pipelined": [], "one per connection": ["--queries-per-connection", "1"]}
# What it calls its figures in its JSON.
RESULT, RATE, SERVER, CPU = "result", "answers_per_second", "server", "cpu_us_per_answer"


def missing():
    """Why it cannot be measured, or None."""
    done = subprocess.run([program("mailzone"), "load", "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return None if done.returncode == 0 and "--tcp" in done.stdout else "this mailzone has no `load`"


def head(queries, count=100000):
    """A part of a long query file: reading it is no part of the measurement."""
    out = tempfile.NamedTemporaryFile("w", prefix="mailzone-tcp.", suffix=".q")
    with open(queries) as lines:
        out.writelines(line for _, line in zip(range(count), lines))
    out.flush()
    return out


def run(server, queries, mode, seconds):
    with head(queries) as some:
        words = ["taskset", "-c", CLIENT_CORE, program("mailzone"), "load", "127.0.0.1:%d" % server.port, "--queries", some.name,
                 "--tcp", "--json", "--connections", str(CONNECTIONS), "--seconds", str(seconds), "--warm-up",
                 str(min(0.3, seconds / 4)), "--max-loss", "100"] + MODES[mode]
        for pid in server.pids():
            words += ["--pid", str(pid)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit("%s: %s" % (" ".join(words[3:]), done.stderr[-1000:]))
    result = json.loads(done.stdout)[RESULT]
    return {"qps": result[RATE], "cpu_us": result[SERVER][CPU], "lost": result["lost"],
            "failed": result["connect_failed"] + result["closed_early"]}
