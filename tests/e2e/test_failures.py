"""Nothing that happens to files or to the compiler may take the answers away: the last good data stay in service, and
log and status say what is wrong."""
import gzip
import os
import random
import resource
import shutil
import subprocess
import time

import harness
import zones
from dnswire import Query

BIG = 300_000       # entries: a compilation long enough to be hit in the middle


def text_of(client, name="1.0.0.10.bl.test"):
    reply = client.ask(Query(name, "TXT"))
    if reply is None:
        return "no reply"
    return reply.answer[0].text if reply.answer else reply.rcode


def children(pid):
    """Pids of all descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parents.setdefault(int(stat.read().rpartition(")")[2].split()[1]), []).append(int(entry))
            except OSError:
                continue
    found, todo = [], [pid]
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += below
    return found


def replace(t, name, data, **keywords):
    """A new version of a data file, with its own time."""
    t.clock = getattr(t, "clock", harness.DEFAULT_MTIME) + 2
    harness.write_file(t.directory / name, data, mtime=t.clock, **keywords)


@harness.backends
def test_compiler_killed(t):
    """kill -9 of the personality's compiler at random moments of a reload."""
    rng = random.Random(t.options.seed)
    replace(t, "list", zones.listed("version 0", BIG))
    process, client = t.start_rbldnsd(["bl.test:ip4set:list"], ["-c", "0"])
    t.equal("serves", "version 0" in text_of(client), True)
    versions = {0}
    killed = 0
    for version in range(1, 16):
        replace(t, "list", zones.listed(f"version {version}", BIG))
        versions.add(version)
        process.signal(1)
        time.sleep(rng.uniform(0, 0.25))
        victims = compilers(process.pid)
        for pid in victims:
            harness.kill(pid)
        killed += len(victims)
        text = text_of(client)
        t.check(f"answers after kill {version}", any(f"version {known} " in text for known in versions), text)
    t.check("compilers were found and killed", killed > 0)
    t.check("alive", process.running())
    replace(t, "list", zones.listed("version final", BIG))

    def final():
        process.signal(1)
        return harness.wait_until(lambda: "version final" in text_of(client), 3)

    t.check("the next undisturbed reload succeeds", harness.wait_until(final, 12), text_of(client) + process.stderr()[-800:])
    t.check("the log says that the compiler died", "killed" in process.log().lower(), process.stderr()[-800:])


def compilers(pid):
    """The processes of running builds: children of the host process, which itself only waits."""
    return [grandchild for host in children(pid) for grandchild in children(host)]


@harness.backends
def test_compiler_host_killed(t):
    """kill -9 of the process that starts the compilers: answers go on, the log says what is lost."""
    replace(t, "list", zones.listed("version 0", 100))
    process, client = t.start_rbldnsd(["bl.test:ip4set:list"], ["-c", "0"])
    for pid in children(process.pid):
        harness.kill(pid)
    replace(t, "list", zones.listed("version 1", 100))
    mark = process.log_mark()
    process.signal(1)
    t.check("the log says that the compiler is gone", process.wait_log("compiler process is gone", mark), process.log_since(mark))
    t.check("answers go on", "version 0" in text_of(client) and process.running())
    process.stop()
    t.equal("ends as it should", process.popen.returncode, 0)


def test_build_killed(t):
    """kill -9 of `mailzone build` at random moments: the image is the old one or the new one, and checks out."""
    rng = random.Random(t.options.seed)
    image = t.directory / "list.mzi"
    replace(t, "list", zones.listed("version 0", BIG))
    begun = time.monotonic()
    t.build(image, ["bl.test:ip4set:list"])
    duration = time.monotonic() - begun
    for version in range(1, 21):
        replace(t, "list", zones.listed(f"version {version}", BIG))
        build = t.start([t.binary("mailzone"), "build", "-o", image, "bl.test:ip4set:list"],
                        preexec=lambda: os.chdir(t.directory))
        time.sleep(rng.uniform(0, 1.2 * duration))
        harness.kill(build.pid)
        build.wait()
        check = t.run([t.binary("mailzone"), "check", image])
        t.equal(f"kill {version}: the image is whole", check.returncode, 0)
    t.build(image, ["bl.test:ip4set:list"])
    leftovers = [path.name for path in t.directory.iterdir() if path.name.startswith(("list.mzi", ".list.mzi")) and
                 path.name not in ("list.mzi", "list.mzi.stats")]
    t.check("at most one temporary file is left", len(leftovers) <= 1, str(leftovers))


@harness.backends
def test_disk_full(t):
    """A build that cannot write its image fails, says so, leaves the old image; the server does not notice."""
    image = t.directory / "list.mzi"
    harness.write_file(t.directory / "list", zones.listed("good", 1000))
    harness.write_file(t.directory / "bigger", zones.listed("big", BIG))
    t.build(image, ["bl.test:ip4set:list"])
    before = image.read_bytes()
    process, client = t.start_mailzoned(image)

    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    result = subprocess.run([t.binary("mailzone"), "build", "-o", image, "bl.test:ip4set:bigger"], cwd=t.directory,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=limit_file_size, timeout=60)
    t.check("file size limit: the build fails with a message", result.returncode > 0 and "list.mzi" in result.stderr,
            f"{result.returncode} {result.stderr}")
    t.check("the old image is untouched", image.read_bytes() == before)
    if os.geteuid() == 0:
        small = t.directory / "small"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True).returncode == 0:
            t.callback(subprocess.run, ["umount", "-l", small])
            shutil.copy(image, small / "list.mzi")
            result = t.build(small / "list.mzi", ["bl.test:ip4set:bigger"], check=False)
            t.check("full disk: the build fails with a message", result.returncode > 0 and
                    "No space left" in result.stderr, f"{result.returncode} {result.stderr}")
            t.check("full disk: the old image is untouched", (small / "list.mzi").read_bytes() == before)
            t.check("full disk: no temporary file is left", len(list(small.iterdir())) == 1, str(list(small.iterdir())))
    t.check("still serves", "good" in text_of(client) and process.running())


@harness.backends
def test_text_files_fail(t):
    """The personality: files that vanish, cannot be read or are no gzip. rbldnsd would answer SERVFAIL."""
    replace(t, "list", zones.listed("first", 100))
    replace(t, "other", zones.listed("other", 100).replace("bl.test", "other.test"))
    process, client = t.start_rbldnsd(["bl.test:ip4set:list", "other.test:ip4set:other"], ["-c", "0"])

    def reload(expected_log):
        mark = process.log_mark()
        process.signal(1)
        t.check(f"the log says {expected_log!r}", process.wait_log(expected_log, mark), process.log_since(mark))

    def hidden(path):
        path.rename(path.with_name("away"))

    truncated = gzip.compress(zones.listed("zipped", 100).encode(), mtime=0)[:-9]
    failures = [
        ("missing", lambda: hidden(t.directory / "list"), "No such file"),
        ("gzip cut short", lambda: replace(t, "list", truncated), "error reading file"),
        ("a directory", lambda: ((t.directory / "list").unlink(), (t.directory / "list").mkdir()), "Is a directory"),
    ]
    if os.geteuid() == 0:
        failures.append(("unreadable", lambda: replace(t, "list", zones.listed("secret", 10), mode=0o600), "Permission denied"))
    for number, (what, damage, log) in enumerate(failures):
        damage()
        reload(log)
        t.check(f"{what}: the last good data are served", '"' in text_of(client), text_of(client))
        t.check(f"{what}: the other zone too", "other" in text_of(client, "1.0.0.10.other.test"))
        reload(log)     # retried and reported at every check
        if (t.directory / "list").is_dir():
            (t.directory / "list").rmdir()
        replace(t, "list", zones.listed(f"repaired {number}", 100))
        reload("zones reloaded")
        t.check(f"{what}: repaired", f"repaired {number}" in text_of(client), text_of(client))
    replace(t, "list", bytes(random.Random(t.options.seed).randbytes(200_000)))
    reload("warnings suppressed")
    t.check("a file of random bytes: bad lines are skipped, the server lives", process.running() and
            "other" in text_of(client, "1.0.0.10.other.test"))


@harness.backends
def test_image_damaged(t):
    """The image file is replaced by garbage, truncated or overwritten in place while it is served."""
    rng = random.Random(t.options.seed)
    image = t.directory / "live.mzi"
    page = t.directory / "live.stats"
    good = t.directory / "good.mzi"
    harness.write_file(t.directory / "list", zones.listed("good", 20_000))
    t.build(good, ["bl.test:ip4set:list"])
    shutil.copy(good, image)
    process, client = t.start_mailzoned(image, [f"--stats-page={page}"])
    whole = good.read_bytes()

    def overwritten():
        with open(image, "r+b") as file:
            file.write(rng.randbytes(len(whole)))

    def flipped():
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        image.write_bytes(damaged)

    damages = {
        "replaced by garbage": lambda: harness.write_file(image, rng.randbytes(50_000)),
        "replaced by an empty file": lambda: harness.write_file(image, b""),
        "truncated in place to nothing": lambda: os.truncate(image, 0),
        "truncated in place to half": lambda: os.truncate(image, len(whole) // 2),
        "overwritten in place": overwritten,
        "one bit flipped in place": flipped,
        "one octet appended": lambda: image.write_bytes(whole + b"\0"),
        "removed": image.unlink,
        "replaced by a directory": lambda: (image.unlink(), image.mkdir()),
    }
    for what, damage in damages.items():
        if image.is_dir():
            image.rmdir()
        shutil.copy(good, t.directory / "copy")
        os.rename(t.directory / "copy", image)
        done = t.run([t.binary("mailzone"), "reload", "--wait", "--stats-page", page])
        t.equal(f"before {what}: the good image loads", done.returncode, 0)
        damage()
        answers = {text_of(client, f"{n & 255}.{n >> 8}.0.10.bl.test")[:6] for n in range(0, 20_000, 97)}
        t.equal(f"{what}: served on without a reload", answers, {'"good '})
        done = t.run([t.binary("mailzone"), "reload", "--wait", "--stats-page", page])
        t.check(f"{what}: reload --wait fails and says why", done.returncode != 0 and (done.stderr + done.stdout).strip(),
                f"{done.returncode} {done.stdout}{done.stderr}")
        answers = {text_of(client, f"{n & 255}.{n >> 8}.0.10.bl.test")[:6] for n in range(0, 20_000, 97)}
        t.equal(f"{what}: served on after the failed reload", answers, {'"good '})
        status = t.run([t.binary("mailzone"), "status", "--stats-page", page])
        t.check(f"{what}: status shows the failure", "fail" in status.stdout.lower(), status.stdout)
        t.check(f"{what}: the log names the file", "live.mzi" in process.log())
    t.check("alive", process.running())


def test_start_failures(t):
    """mailzoned without a usable image ends with a message and the documented exit code."""
    image = t.directory / "x.mzi"
    for what, data, code in (("missing", None, 3), ("empty", b"", 1), ("garbage", os.urandom(9000), 1)):
        if data is not None:
            image.write_bytes(data)
        done = t.run([t.binary("mailzoned"), "--image", image, "--listen", f"127.0.0.1:{harness.free_port()}"], timeout=10)
        t.check(f"{what}: exit code {code} and a message that names the file", done.returncode == code and
                "x.mzi" in done.stderr, f"{done.returncode} {done.stderr}")
    with_port = f"127.0.0.1:{harness.free_port()}"
    harness.write_file(t.directory / "list", zones.listed("good", 10))
    t.build(image, ["bl.test:ip4set:list"])
    first = t.start([t.binary("mailzoned"), "--image", image, "--listen", with_port])
    t.wait_ready(first, t.client(int(with_port.partition(":")[2])))
    for arguments, words in ((["--listen", with_port], "in use"), (["--listen", "127.0.0.1:notaport"], "notaport"),
                             (["--listen", with_port, "--wrokers=2"], "workers"), ([], "listen")):
        done = t.run([t.binary("mailzoned"), "--image", image, *arguments], timeout=10)
        t.check(f"{arguments}: refused with a message about {words!r}", done.returncode != 0 and words in done.stderr,
                f"{done.returncode} {done.stderr}")
