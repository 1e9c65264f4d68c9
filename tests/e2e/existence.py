"""An independent idea of which names have something listed below them, for judging NODATA and NXDOMAIN."""
import re

from dnswire import label_text, split_labels
from zonegen import reverse4, reverse6

MOST_WITNESSES = 12


def labels_of(text):
    """Lower-case labels: suffixes must be compared by label, "a\\.b" is one."""
    return tuple(label.lower() for label in split_labels(text))


class Existence:
    """What the generator wrote, as names. Knows too much (excluded entries too) and too little (only some addresses of a
    range), so `possible_below` errs on the side of yes, and what `known_below` lists must be asked for."""

    def __init__(self, setup):
        self.apexes = sorted({labels_of(apex) for apex in setup.apexes})
        owners = {labels_of(text) for text in
                  [*setup.names, *map(reverse4, setup.points4), *map(reverse6, setup.points6)]}
        owners |= {owner[1:] for owner in owners if owner[:1] == (b"*",)}
        # Every ancestor of a written name -> some of the names below it.
        self.below = {}
        written = {owner + apex for owner in owners for apex in self.apexes} | set(self.apexes)
        self.written = written
        for name in written:
            for cut in range(1, len(name)):
                witnesses = self.below.setdefault(name[cut:], [])
                if len(witnesses) < MOST_WITNESSES:
                    witnesses.append(name)
        # An acl may list or hide what the data do not.
        self.witnesses = not setup.has_acl

    def known_below(self, name):
        found = self.below.get(labels_of(name), []) if self.witnesses else []
        return [".".join(map(label_text, labels)) for labels in found]

    def possible_below(self, name):
        labels = labels_of(name)
        # A written name itself may be a wildcard: then it has names below, but need not be listed.
        if labels in self.written or labels in self.below:
            return True
        return any(labels[-len(apex):] == apex and self.address_tail(labels[:-len(apex)]) for apex in self.apexes)

    @staticmethod
    def address_tail(labels):
        texts = [label.decode("latin1") for label in labels]
        if len(texts) < 4 and all(re.fullmatch(r"\d{1,3}", text) and int(text) < 256 for text in texts):
            return True
        return len(texts) < 32 and all(re.fullmatch(r"[0-9a-f]", text) for text in texts)
