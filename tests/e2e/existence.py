"""An independent idea of which names have something listed below them, for judging NODATA and NXDOMAIN."""
import itertools
import re

from zonegen import reverse4, reverse6

MOST_WITNESSES = 12


class Existence:
    """What the generator wrote, as names. Knows too much (excluded entries too) and too little (only some addresses of a
    range), so `possible_below` errs on the side of yes, and what `known_below` lists must be asked for."""

    def __init__(self, setup):
        self.apexes = sorted({apex.lower().rstrip(".") for apex in setup.apexes})
        owners = [name.lower().removeprefix("*.") for name in setup.names]
        owners += [reverse4(point) for point in setup.points4] + [reverse6(point) for point in setup.points6]
        self.stored = {f"{owner}.{apex}" for owner, apex in itertools.product(owners, self.apexes)}
        self.stored |= set(self.apexes)
        # An acl may list or hide what the data do not.
        self.witnesses = not setup.has_acl

    def known_below(self, name):
        tail = "." + name.lower().rstrip(".")
        if not self.witnesses:
            return []
        return list(itertools.islice((stored for stored in self.stored if stored.endswith(tail)), MOST_WITNESSES))

    def possible_below(self, name):
        name = name.lower().rstrip(".")
        if any(stored.endswith("." + name) for stored in self.stored):
            return True
        return any(name.endswith("." + apex) and self.address_tail(name[:-len(apex) - 1]) for apex in self.apexes)

    @staticmethod
    def address_tail(owner):
        labels = owner.split(".")
        if len(labels) < 4 and all(re.fullmatch(r"\d{1,3}", label) and int(label) < 256 for label in labels):
            return True
        return len(labels) < 32 and all(re.fullmatch(r"[0-9a-f]", label) for label in labels)
