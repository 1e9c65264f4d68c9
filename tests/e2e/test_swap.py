"""Hot swap under load: every query is answered, and every answer is entirely from the old or from the new data."""
import os
import shutil
import signal
import threading
import time

import dnswire
import harness
import zones
from dnswire import Query

ENTRIES = 50_000
SWAPS = 100


class Asking(threading.Thread):
    """Asks continuously on one UDP socket (or one TCP connection), one query after the other."""

    def __init__(self, client, tcp=False):
        super().__init__(daemon=True)
        self.client, self.tcp = client, tcp
        self.stop = threading.Event()
        self.asked, self.lost, self.wrong, self.backwards = 0, 0, [], 0
        self.seen = set()
        self.slowest = 0.0

    def run(self):
        sock = self.client.connect_tcp() if self.tcp else None
        number = 0
        while not self.stop.is_set():
            number = (number + 7919) % ENTRIES
            name = f"{number & 255}.{number >> 8 & 255}.{number >> 16}.10.bl.test"
            begun = time.monotonic()
            reply = self.exchange(sock, Query(name, "ANY"))
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.asked += 1
            if reply is None:
                self.lost += 1
                continue
            self.judge(name, reply)
        if sock:
            sock.close()

    def exchange(self, sock, query):
        if not self.tcp:
            return self.client.ask(query, timeout=3)
        sock.sendall(harness.frame(query.encode(self.asked & 0xffff)))
        message = harness.read_frame(sock)
        return None if message is None else dnswire.decode(message)

    def judge(self, name, reply):
        """Old data say A 127.0.0.2 and "old ..."; new data 127.0.0.3, "new ..." and serial 8."""
        texts = [str(record) for record in reply.answer]
        old = any(" A 127.0.0.2" in text for text in texts) and any('"old ' in text for text in texts)
        new = any(" A 127.0.0.3" in text for text in texts) and any('"new ' in text for text in texts)
        if len(texts) != 2 or old == new or len(reply.authority) != 2:
            self.wrong.append((name, texts, reply.texts("authority")))
        self.seen.add("new" if new else "old")


def make_images(t):
    for name, text, address, serial in (("old", "old", 2, 7), ("new", "new", 3, 8)):
        data = zones.listed(text, ENTRIES).replace(":2:", f":{address}:").replace("hostmaster.bl.test 7", f"hostmaster.bl.test {serial}")
        harness.write_file(t.directory / f"{name}.txt", data)
        t.build(t.directory / f"{name}.mzi", [f"bl.test:ip4set:{name}.txt"], ["--any=all"])


def install(source, target):
    shutil.copyfile(source, f"{target}.new")
    os.rename(f"{target}.new", target)


@harness.backends
def test_hundred_swaps(t):
    """100 swaps by `mailzone reload --wait` while UDP and TCP clients ask."""
    make_images(t)
    live = t.directory / "live.mzi"
    page = t.directory / "live.stats"
    install(t.directory / "old.mzi", live)
    process, client = t.start_mailzoned(live, ["--workers=2", f"--stats-page={page}"])
    askers = [Asking(t.client(client.port)) for _ in range(3)] + [Asking(t.client(client.port), tcp=True)]
    for asker in askers:
        asker.start()
    failed = []
    rss_first = 0
    for number in range(SWAPS):
        install(t.directory / ("new.mzi" if number % 2 == 0 else "old.mzi"), live)
        done = t.run([t.binary("mailzone"), "reload", "--wait", "--stats-page", page])
        if done.returncode != 0:
            failed.append((number, done.returncode, done.stdout + done.stderr))
        if number == 10:
            rss_first = process.rss_kib()
    for asker in askers:
        asker.stop.set()
    for asker in askers:
        asker.join(10)
    asked = sum(asker.asked for asker in askers)
    t.equal("every reload --wait reports success", failed[:3], [])
    t.equal(f"queries lost of {asked}", sum(asker.lost for asker in askers), 0)
    t.equal("answers that are neither old nor new", [wrong for asker in askers for wrong in asker.wrong][:3], [])
    t.check("both data were seen by everybody", all(asker.seen == {"old", "new"} for asker in askers))
    t.check("enough was asked to mean something", asked > 20 * SWAPS, f"{asked}")
    t.check("old images are released", process.rss_kib() < rss_first + 8 * 1024,
            f"{rss_first} KiB after 10 swaps, {process.rss_kib()} KiB after {SWAPS}")
    print(f"        {asked} queries over {SWAPS} swaps, slowest {max(asker.slowest for asker in askers) * 1000:.1f} ms")


@harness.backends
def test_personality_reloads(t):
    """The rbldnsd personality: text files replaced and SIGHUP sent, while clients ask."""
    make_images(t)
    live = t.directory / "live.txt"
    install(t.directory / "old.txt", live)
    process, client = t.start_rbldnsd(["bl.test:ip4set:live.txt"], ["-c", "0"])
    askers = [Asking(t.client(client.port)) for _ in range(2)]
    for asker in askers:
        asker.start()
    for number in range(12):
        fresh = "new" if number % 2 == 0 else "old"
        install(t.directory / f"{fresh}.txt", live)
        mark = process.log_mark()
        process.signal(signal.SIGHUP)
        t.check(f"reload {number} is logged", process.wait_log("zones reloaded", mark, 10), process.log_since(mark))
        reply = client.ask(Query("1.0.0.10.bl.test", "TXT"))
        t.check(f"reload {number} is in service when it is logged", fresh in reply.answer[0].text, str(reply))
    for asker in askers:
        asker.stop.set()
    for asker in askers:
        asker.join(10)
    t.equal(f"queries lost of {sum(a.asked for a in askers)}", sum(a.lost for a in askers), 0)
    t.equal("wrong answers", [wrong for a in askers for wrong in a.wrong][:3], [])
