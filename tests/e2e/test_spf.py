"""SPF hosting against independent implementations of RFC 7208, over real DNS packets (spf_oracle.py, spf_compare.py)."""
import time

import spf_compare
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
        counts.add(spf_compare.run_block(t, sets, clients_per_set=5, second_every=10, on_difference=on_difference))
    for client, difference in differences[:3]:
        small = spf_compare.minimise(t, difference, client)
        t.check("published record says what the source says", False, small.text())
    print(f"  {counts}")
    t.check(f"no difference in {counts.comparisons} comparisons of {counts.sets} zone sets", not differences,
            f"{len(differences)} differences")
    t.check("every result occurs", len(counts.results) >= 6, counts.results)
