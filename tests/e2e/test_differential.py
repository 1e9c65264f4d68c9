"""The live differential test: random zones and queries (zonegen.py) to Debian's rbldnsd and to ours.

For each set-up both programs start on the same files, or both refuse to; their warnings agree; then every reply must
agree (differential.py). Half of the set-ups run ours with --ent=nxdomain, where no NODATA is excused.

  tests/e2e/run.py --only differential --seconds 3600 --seed 9
  tests/e2e/run.py --only differential --rounds 1 --seed 123456     replays one set-up (its number is printed)
"""
import collections
import random
import time

import harness
from differential import Asker, Comparison
from existence import Existence
from zonegen import Generator

QUERIES_PER_SETUP = 250
FEWEST_SETUPS = 25      # on a machine too busy to do them within the time
MOST_FAILURES = 15      # shown; a wrong program would fill the screen


def outcome(process, client):
    """Waits until the server serves or has ended. -> True when it serves."""
    harness.wait_until(lambda: not process.running() or " started (" in process.log() or client.ready(), 15)
    return process.running()


class Run:
    """One set-up with both servers."""

    def __init__(self, t, seed):
        self.t, self.seed = t, seed
        self.setup = Generator(seed).setup()
        self.rng = random.Random(seed ^ 0x5eed)
        self.directory = t.new_directory()
        self.setup.write(self.directory)
        self.plain_reference = t.options.server is not None
        self.ent_nxdomain = not self.plain_reference and seed % 2 == 0
        self.queries = 0
        self.served = False
        self.rows = collections.Counter()

    def start(self):
        options = self.setup.options
        reference, reference_client = self.t.start_rbldnsd(self.setup.specs, options, self.directory,
                                                           harness.REFERENCE, ready=False)
        extra = None if self.plain_reference or not self.ent_nxdomain else [f"--io={self.t.io}", "--ent=nxdomain"]
        ours, our_client = self.t.start_rbldnsd(self.setup.specs, options, self.directory, self.t.options.server,
                                                ready=False, extra=extra, name="ours")
        served = outcome(reference, reference_client), outcome(ours, our_client)
        return (reference, reference_client), (ours, our_client), served

    def start_without_acl(self):
        """The reference on the same data, open to everybody; None when there is no acl, or nothing else."""
        specs = [spec for spec in self.setup.specs if spec.split(":")[1] != "acl"]
        if not self.setup.has_acl or self.plain_reference:
            return None
        process, client = self.t.start_rbldnsd(specs, self.setup.options, self.directory, harness.REFERENCE, ready=False,
                                               name="open")
        return process, client if outcome(process, client) else None

    def run(self):
        """-> list of problems"""
        (reference, reference_client), (ours, our_client), served = self.start()
        without_acl = self.start_without_acl()
        try:
            problems = self.compare_start(reference, ours, served)
            self.served = all(served)
            if self.served:
                problems += self.compare_answers(reference_client.port, our_client, without_acl and without_acl[1])
                if not ours.running():
                    problems.append(f"died: {ours.stderr()[-500:]}")
            return problems
        finally:
            for process, client in filter(None, ((reference, reference_client), (ours, our_client), without_acl)):
                process.stop()
                if client:
                    client.close()

    def compare_start(self, reference, ours, served):
        if served[0] != served[1]:
            return [f"rbldnsd {'serves' if served[0] else 'refuses'}, ours {'serves' if served[1] else 'refuses'}:\n"
                    f"          {reference.stderr()[-400:]}\n          {ours.stderr()[-400:]}"]
        want = sorted(harness.normalise_log(reference.stderr(), self.directory))
        # Row log-numbers: the size of 0.0.0.0-255.255.255.255 does not fit into rbldnsd's 32 bits.
        log = ours.stderr().replace("too large range (4294967296)", "too large range (0)")
        got = sorted(harness.normalise_log(log, self.directory))
        # Row generic-message: rbldnsd says nothing about the line that makes it give up.
        got = [line for line in got if "data load aborted" not in line or line in want]
        # Row aborted-start: rbldnsd looks for glue before it gives up, we build nothing then.
        if not served[0]:
            want = [line for line in want if "no glue record(s)" not in line]
            got = [line for line in got if "no glue record(s)" not in line]
        if want != got:
            missing = collections.Counter(want) - collections.Counter(got)
            extra = collections.Counter(got) - collections.Counter(want)
            return [f"warnings differ: only rbldnsd {list(missing)[:4]}, only ours {list(extra)[:4]}"]
        return []

    def compare_answers(self, reference_port, our_client, open_client):
        reference, ours = Asker(self.t, reference_port), Asker(self.t, our_client.port)
        existence = None
        if not self.plain_reference and not self.ent_nxdomain:
            existence = Existence(self.setup)

        def ask_tcp(query):
            client = harness.Client(our_client.port, source=query.source)
            return client.ask_tcp(query)

        without_acl = open_client and Asker(self.t, open_client.port)
        comparison = Comparison(reference, ours, None if self.plain_reference else ask_tcp, existence, without_acl)
        problems, silent = [], collections.Counter()
        try:
            for _ in range(QUERIES_PER_SETUP):
                query = self.setup.query(self.rng)
                if silent[query.source] > 2:        # an acl ignores this client: seen often enough
                    continue
                begun = time.monotonic()
                problem = comparison.run(query)
                if time.monotonic() - begun > 1:
                    silent[query.source] += 1
                self.queries += 1
                if problem:
                    problems.append(problem)
                    if len(problems) >= 3:
                        break
            return problems
        finally:
            self.rows = comparison.rows
            for asker in filter(None, (reference, ours, without_acl)):
                asker.close()


@harness.backends
def test_random_zones(t):
    share = t.options.seconds / len(harness.BACKENDS) if not t.options.io else t.options.seconds
    deadline = time.monotonic() + share
    setups = serving = queries = shown = 0
    rows, kinds = collections.Counter(), collections.Counter()
    seed = t.options.seed * 1_000_003 if not t.options.rounds == 1 else t.options.seed

    def more():
        if t.options.rounds:
            return setups < t.options.rounds
        return time.monotonic() < deadline or setups < FEWEST_SETUPS

    while more():
        run = Run(t, seed + setups)
        problems = run.run()
        setups, serving, queries = setups + 1, serving + run.served, queries + run.queries
        rows, kinds = rows + run.rows, kinds + collections.Counter(run.setup.kinds)
        for problem in problems:
            shown += 1
            if shown <= MOST_FAILURES:
                t.check(f"seed {run.seed} ({' '.join(run.setup.options + run.setup.specs)})", False, problem)
        if shown > 4 * MOST_FAILURES:
            break
    print(f"        {setups} set-ups ({serving} start), {queries} queries; datasets {dict(kinds)}; deviations seen {dict(rows)}")
    t.equal("differences in all", shown, 0)
    if not t.options.rounds:
        t.check("thousands of queries were compared", queries >= 1000, f"{queries}")
        t.check("every dataset type took part", len(kinds) >= 8, f"{dict(kinds)}")
