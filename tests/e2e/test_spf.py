"""SPF hosting against independent implementations of RFC 7208, over real DNS packets (spf_oracle.py, spf_compare.py).

The random test compares 2,000 zone sets (400 when --seconds is under 60), and goes on until its time box ends;
--rounds N compares N zone sets.
"""
import ipaddress
import json
import os
import random
import re
import time

import harness
import internet
import spf_compare
import spf_evaluator
import spf_hostile
import spf_oracle
import spf_receiver
import spf_world
import spf_zonegen

SETS_PER_BUILD = 200


def test_random_zone_sets(t):
    """Random zone sets: what the source record says without limits is what receivers with limits see through us."""
    wanted = t.options.rounds or (2000 if t.options.seconds >= 60 else 400)
    deadline = time.monotonic() + t.options.seconds
    counts, index, shown = spf_compare.Counts(), 0, 0
    differences = []

    def on_difference(zone_set, client, difference):
        differences.append((client, difference))

    while counts.sets < wanted or not t.options.rounds and time.monotonic() < deadline:
        sets = [spf_zonegen.make(t.options.seed, i) for i in range(index, index + min(SETS_PER_BUILD, wanted))]
        index += len(sets)
        counts.add(spf_compare.run_block(t, sets, clients_per_set=5, second_every=6, on_difference=on_difference))
    for client, difference in differences[:3]:
        small = spf_compare.minimise(t, difference, client)
        t.check("published record says what the source says", False, small.text())
    print(f"  {counts}")
    t.check(f"no difference in {counts.comparisons} comparisons of {counts.sets} zone sets", not differences,
            f"{len(differences)} differences")
    t.check("every result occurs", len(counts.results) >= 6, counts.results)


def test_recorded_cases(t):
    """tests/data/spf_cases.json over the wire: the result that each case records, for receivers with limits."""
    cases = json.loads((harness.DATA / "spf_cases.json").read_text())["cases"]
    perl = spf_compare.start_mailspf()
    for part in perl:
        t.callback(part.close)
    for case in cases:
        zone_set = spf_compare.Reduced(case["zone"], [case["domain"]], False)
        form = case["form"]
        block = spf_compare.Block(t, [zone_set], tuple({"redirect", form}), deadline_ms=1000, perl=perl)
        try:
            for check in case["checks"]:
                client = case["domain"], check["ip"], check["sender"], case["helo"]
                got = {engine: block.published(getter(), form, *client).result
                       for engine, getter in (("pyspf", lambda: block.pyspf), ("Mail::SPF", block.mailspf))}
                want = "permerror" if check["expect"] == "none" else check["expect"]     # sections 5.2 and 6.1
                t.check(f"{case['id']} {check['ip']} {check['sender']}: {want}", set(got.values()) == {want},
                        f"{got}, residual {block.residual(form, *client[:2], case['helo'])}; {case['note']}")
        finally:
            block.close()


STATIC_TEXT = {"fail": "v=spf1 -all", "softfail": "v=spf1 ~all", "neutral": "v=spf1 ?all",
               "permerror": "v=spf1 exists:%{x}", "none": "v=spf1 exists:%{x}", "temperror": "2"}    # 2: SERVFAIL


def box_receiver(t, box, port):
    receiver = spf_receiver.Receiver(box.resolver_port)
    t.callback(receiver.close)
    receiver.route(internet.ZONE, port)
    receiver.route("61.18.198.in-addr.arpa", box.resolver_port)
    receiver.route("arpa", 0)       # the other reverse zones are not in the box
    return receiver


def through_us(pyspf, ip, sender, helo, want):
    """What a receiver with limits says; without them where our answer alone needs more than they allow."""
    got = pyspf.check(ip, sender, helo, limits=True)
    if got.result == want:
        return got
    free = pyspf.check(ip, sender, helo, limits=False)
    return free if free.over_limits() else got


def test_borders(t):
    """Customers of the internet in a box: the addresses at the borders of every prefix their records lead to."""
    box = internet.Internet(t, customers=570)
    directory = t.new_directory()
    config = box.write_config(directory)
    t.require("the box compiles", t.run([t.binary("mailzone"), "build", config], cwd=directory).returncode == 0)
    process, client = t.start_mailzoned(directory / "spf.mzi", directory=directory)
    receiver = box_receiver(t, box, client.port)
    pyspf, evaluator = spf_oracle.PySpf(receiver), spf_evaluator.Evaluator(receiver)
    rng = random.Random(t.options.seed)
    domains = list(box.domains)
    rng.shuffle(domains)
    deadline = time.monotonic() + min(t.options.seconds, 600) * 0.5
    tested = checked = left = crossed = 0
    wrong, disagree = [], []
    for domain in domains:
        if time.monotonic() > deadline:
            break
        owner = f"_xpg8.{domain}"
        borders = sorted(evaluator.borders(domain, owner))
        tested += 1
        sample = set(rng.sample(range(len(borders)), min(8, len(borders))))
        for i, (family, number) in enumerate(borders):
            address = ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number)
            if getattr(address, "ipv4_mapped", None):
                continue
            want = evaluator.check(domain, owner, family, number)
            if want is not None:
                checked += 1
                labels = str(address).split(".") if family == 4 else list(address.exploded.replace(":", ""))
                answer = receiver.txt(f"{'.'.join(reversed(labels))}.{domain}.{internet.ZONE}")
                text = answer[0] if isinstance(answer, list) and answer else str(answer)
                pass_text = f"v=spf1 ip{family}:{address} -all"
                if text != (pass_text if want == "pass" else STATIC_TEXT[want]):
                    wrong.append((domain, str(address), want, text))
            left += want is None
            if i in sample:
                crossed += 1
                sender, helo = f"ann@{domain}", "mail.elsewhere.example"
                receiver.publish(domain, owner)
                source = pyspf.check(str(address), sender, helo, limits=False)
                receiver.publish(None, None)
                expected = "permerror" if source.result == "none" else source.result
                published = through_us(pyspf, str(address), sender, helo, expected)
                if published.result != expected or want not in (None, source.result):
                    disagree.append((domain, str(address), want, source.result, published.result, published.detail))
    print(f"  {tested} domains, {checked} addresses, {left} left to the receiver, {crossed} also with pyspf")
    t.check(f"0 wrong answers at {checked} borders of {tested} domains", checked > 1000 and not wrong, wrong[:5])
    t.check(f"pyspf agrees at {crossed} of them", crossed > 100 and not disagree, disagree[:5])


# ---- hostile and broken sources

def measured(argv, directory):
    """-> (exit code, seconds, peak resident KiB); output in `build.log`."""
    begun = time.monotonic()
    with open(directory / "build.log", "wb") as log:
        pid = os.posix_spawn(argv[0], [str(word) for word in argv], dict(os.environ), file_actions=[
            (os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)])
        while True:
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status), time.monotonic() - begun, usage.ru_maxrss
            if time.monotonic() - begun > 60:
                harness.kill(pid)
            time.sleep(0.01)


def test_hostile_sources(t):
    """Broken and hostile sources: result and diagnostic, in bounded time and memory; the others never notice."""
    hostile = spf_hostile.Hostile()
    world, expect = hostile.world, hostile.expect
    for domain in expect:
        world.add(f"_pub-redirect.{domain}", [["TXT", spf_compare.FORMS["redirect"][2]]])
    server = spf_world.WorldServer(world)
    t.callback(server.close)
    directory = t.new_directory()
    (directory / "z.toml").write_text(spf_compare.config(server.compiler_port, {"redirect": list(expect)}))
    argv = [t.binary("mailzone"), "build", "--max-diagnostics", "100000", directory / "z.toml"]
    code, seconds, kib = measured(argv, directory)
    log = (directory / "build.log").read_bytes()
    print(f"  {len(expect)} sources, {seconds:.1f} s, {kib // 1024} MiB")
    t.require("the build ends well", code == 0, log[-2000:])
    t.check("in less than 10 s", seconds < 10, seconds)
    t.check("in less than 512 MiB", kib < 512 << 10, kib)
    raw = re.compile(rb".{0,80}[\x00-\x08\x0b-\x1f\x7f-\xff]")
    for path in directory.iterdir():
        if path.suffix in (".log", ".state", ".changes"):
            t.check(f"nothing of a record as raw text in {path.name}", not raw.search(path.read_bytes()),
                    raw.search(path.read_bytes()))
        t.check(f"no control sequence in {path.name}", spf_hostile.MARK.encode() not in path.read_bytes())
    for domain, word in hostile.words.items():
        if word:
            lines = [line for line in log.decode("latin-1").splitlines() if domain in line and word in line]
            t.check(f"{domain}: a diagnostic says '{word}'", lines)
    process, client = t.start_mailzoned(directory / "spf.mzi", directory=directory)
    receiver = spf_receiver.Receiver(server.receiver_port)
    t.callback(receiver.close)
    receiver.route(spf_compare.FORMS["redirect"][0], client.port)
    pyspf = spf_oracle.PySpf(receiver)
    for domain, checks in expect.items():
        receiver.publish(domain, f"_pub-redirect.{domain}")
        for ip, want in checks:
            got = pyspf.check(ip, f"ann@{domain}", "mta.test", limits=True)
            t.check(f"{domain} {ip}: {want}", got.result == want, f"{got.result}: {got.detail}")


def test_faults(t):
    """The internet in a box with its eight broken customers: each gets RFC 7208's result, the others theirs."""
    box = internet.Internet(t, customers=10, faults=True)
    directory = t.new_directory()
    config = box.write_config(directory)
    result = t.run([t.binary("mailzone"), "build", "--max-diagnostics", "1000", config], cwd=directory)
    t.require("the box compiles", result.returncode == 0, result.stderr[-1000:])
    process, client = t.start_mailzoned(directory / "spf.mzi", directory=directory)
    receiver = box_receiver(t, box, client.port)
    pyspf = spf_oracle.PySpf(receiver)
    for domain in box.domains:
        t.check(f"{domain}: a diagnostic names it", domain in result.stderr or domain in box.sources)
        for ip in [f"198.19.128.{i}" for i in range(1, 12)] + ["192.0.2.1", "2001:db8:c000::1", "35.190.247.1"]:
            sender = f"ann@{domain}"
            receiver.publish(domain, f"_xpg8.{domain}")
            source = pyspf.check(ip, sender, "mta.example", limits=False)
            receiver.publish(None, None)
            want = "permerror" if source.result == "none" else source.result
            got = through_us(pyspf, ip, sender, "mta.example", want)
            t.check(f"{domain} {ip}: {want}", got.result == want, f"{got.detail}; source: {source.detail}")
