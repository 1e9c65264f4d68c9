#!/usr/bin/python3
"""Is a record a syntax error? Our parser against pyspf's, on random records, valid and mutated.

Usage: pyspf_syntax.py SPF_PARSE_TOOL [COUNT [SEED]]     (needs Debian's python3-spf)
Exit 1 on a difference that no known quirk of pyspf explains.
"""
import json
import random
import re
import subprocess
import sys

try:
    import spf
except ImportError:
    sys.exit('python3-spf is missing: apt-get install python3-spf')

MACRO = re.compile(r'%(?:\{([A-Za-z])([0-9]*)([rR]?)([.\-+,/_=]*)\}|[%_\-])')


def pyspf_accepts(record):
    """True when pyspf finds no syntax error. "+all" in front ends its evaluation before any look-up."""
    query = spf.query(i='192.0.2.1', s='local-part@sender.example', h='helo.example', strict=True, timeout=1)
    query.p = 'unknown'
    query.getp = lambda: 'unknown'
    query.get_explanation = lambda spec: None
    query.check_lookups = lambda: None       # processing limits are not syntax
    def no_dns(*_):
        raise AssertionError('a syntax check needs no DNS')
    query.dns = no_dns
    query.d = 'record-owner.example'
    query.options = {}
    words = record.split(' ')
    try:
        query.check0(' '.join([words[0], '+all'] + words[1:]), 0)
        return True
    except spf.PermError:
        return False


# What pyspf 2.0.14 does otherwise than RFC 7208 section 12. Each: name, which answer pyspf gives, and whether a
# record can show it.
def terms(record):
    return [t for t in record.split(' ')[1:] if t]


def modifiers(record):
    return [m for m in (re.match(r'([A-Za-z][A-Za-z0-9._-]*)=(.*)$', t) for t in terms(record)) if m]


def repeated_unknown(record):
    names = [m.group(1) for m in modifiers(record)]
    return any(names.count(n) > 1 for n in names if n.lower() not in ('redirect', 'exp'))


def case_of_modifier(record):
    names = [m.group(1) for m in modifiers(record)]
    return any(n.lower() in ('redirect', 'exp') and n != n.lower() for n in names)


def unchecked_modifier(record):
    return any(m.group(1) in ('default', 'op') for m in modifiers(record))


def explanation_letter(record):
    return any(re.search(r'%\{[cCrRtT]', m.group(2)) for m in modifiers(record)
               if m.group(1).lower() not in ('redirect', 'exp'))


def percent_at_end(record):
    return any(re.search(r'%%(//?[0-9]+)*$', t) for t in terms(record))


def double_percent(record):
    return '%%' in record


def loose_macro(record):
    """A "%{" that section 7.1 does not know: pyspf takes any delimiters, 0 parts, text behind the transformers."""
    return '%{' in MACRO.sub('', record) or any(
        m.group(2) and int(m.group(2)) == 0 for m in MACRO.finditer(record))


def qualified_exists(record):
    return any(re.fullmatch(r'[-+~?]exists', t, re.IGNORECASE) for t in terms(record))


def include_of_itself(record):
    return any(re.fullmatch(r'[-+~?]?include:%\{d[^}]*\}', t, re.IGNORECASE) for t in terms(record))


QUIRKS = [
    ('an unknown modifier may appear once only', False, repeated_unknown),
    ('the names of modifiers are case sensitive', True, case_of_modifier),
    ('values of default= and op= are not looked at', True, unchecked_modifier),
    ('c, r, t refused in unknown modifiers', False, explanation_letter),
    ('"%%" at the end is an error', False, percent_at_end),
    ('an octet behind "%%" is not looked at', True, double_percent),
    ('macros are read loosely', True, loose_macro),
    ('include of the own name is a syntax error', False, include_of_itself),
    ('exists with a qualifier and without a name is accepted', True, qualified_exists),
]


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, *choices):
        return self.rng.choice(choices)

    def macro(self):
        r = self.rng
        if r.random() < .1:
            return self.pick('%%', '%_', '%-')
        letter = r.choice('slodipvh' * 3 + 'SLODIPVH' + 'crtx')
        digits = self.pick('', '', '', '1', '2', '3', '12', '0', '01', '99999999999')
        return '%{' + letter + digits + self.pick('', '', 'r', 'R') + self.pick('', '', '', '.', '-', '+',
                '/_', '=,', '..') + '}'

    def label(self):
        return self.pick('a', 'com', 'example', '_spf', 'x-y', '-x', 'x-', '12', '1a', '1-2', 'xn--p1ai', '',
                'a/b', 'a:b', '#!', 'A')

    def name(self):
        parts = [self.macro() if self.rng.random() < .25 else self.label() for _ in range(self.rng.randint(1, 4))]
        if self.rng.random() < .7:
            parts.append(self.pick('com', 'example', 'a1', 'x-1'))
        return '.'.join(parts) + self.pick('', '', '', '', '.')

    def cidr(self, most):
        return self.pick('', '', '/%d' % self.rng.randint(0, most), '/%d' % self.rng.randint(0, 140), '/0',
                '/08', '/', '/x')

    def ip4(self):
        return '.'.join(self.pick('0', '1', '10', '192', '255', '256', '01', '99') if self.rng.random() < .3
                        else str(self.rng.randint(0, 255)) for _ in range(self.pick(4, 4, 4, 4, 4, 4, 3, 5)))

    def ip6(self):
        if self.rng.random() < .5:
            return self.pick('::', '::1', '2001:db8::', '2001:db8:0:0:0:0:0:1', '1:2:3:4:5:6:7::',
                    '::2:3:4:5:6:7:8',
                             '1::8', '::1.2.3.4', '::ffff:1.2.3.4', '::ffff:1.2.3.04', '1:2:3:4:5:6:1.2.3.4',
                                     'FE80::A')
        text = ':'.join('%x' % self.rng.randint(0, 0x11000) for _ in range(self.rng.randint(5, 9)))
        return text.replace(':', '::', 1) if self.rng.random() < .5 else text

    def term(self):
        kind = self.rng.randint(0, 13)
        sign = self.pick('', '', '', '+', '-', '~', '?')
        if kind == 0:
            return sign + self.pick('all', 'ALL', 'all', 'all', 'all:', 'all/8', 'allx')
        if kind in (1, 2):
            return sign + self.pick('include', 'exists', 'Include', 'ptr') + ':' + self.name()
        if kind in (3, 4):
            return (sign + self.pick('a', 'mx', 'A', 'MX') + self.pick('', ':' + self.name()) + self.cidr(32) +
                    self.pick('', '', '/' + (self.cidr(128) or '/64')))
        if kind in (5, 6):
            return sign + self.pick('ip4', 'IP4') + ':' + self.ip4() + self.cidr(32)
        if kind in (7, 8):
            return sign + self.pick('ip6', 'iP6') + ':' + self.ip6() + self.cidr(128)
        if kind == 9:
            return 'redirect=' + self.name()
        if kind == 10:
            return self.pick('exp=', 'redirect=', 'exp=', 'Exp=') + self.name()
        if kind == 11:
            return self.pick('x', 'unknown', 'a.b-c_d', 'moo', 'include', 'default', 'op', 'ra', '1x',
                    '_x') + '=' + self.name()
        if kind == 12:
            return sign + self.pick('ptr', 'ptr:', 'ptr/24', 'exists', 'include', 'ip4', 'ip6', 'a:', 'mx:',
                    'a//', 'foo',
                                    'ipv4:192.0.2.1', '192.0.2.1', 'foo:bar.com', 'redirect:a.com', 'a=', '+', '')
        return sign + self.pick('a', 'mx', 'ip4:192.0.2.1', 'include:a.example', '~all')

    def record(self):
        text = self.pick('v=spf1', 'V=SPF1', 'v=spf1')
        for _ in range(self.pick(0, 1, 1, 1, 1, 2, 2, 3, 5)):
            text += self.pick(' ', ' ', ' ', '  ') + self.term()
        text += self.pick('', '', '', ' ')
        if self.rng.random() < .4:
            text = self.mutate(text)
        return text

    def mutate(self, text):
        for _ in range(self.rng.randint(1, 3)):
            at = self.rng.randint(7, max(7, len(text)))
            if len(text) <= 7:
                return text
            octet = self.rng.choice('%{}/:.=-+~?_ ,0123456789abcdeflrsxz@[]"\\')
            text = self.pick(text[:at] + octet + text[at:], text[:at] + text[at + 1:],
                    text[:at] + octet + text[at + 1:])
        return text


def main():
    tool = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    generator = Generator(seed)
    records = [generator.record() for _ in range(count)]
    lines = ''.join(json.dumps(r) + '\n' for r in records)
    answers = subprocess.run([tool], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == len(records), 'the tool answered %d of %d records' % (len(answers), len(records))
    both_accept = both_refuse = 0
    seen = {name: 0 for name, _, _ in QUIRKS}
    wrong = []
    for record, answer in zip(records, answers):
        ours, theirs = answer == 'ok', pyspf_accepts(record)
        if ours == theirs:
            both_accept += ours
            both_refuse += not ours
            continue
        quirk = next((name for name, accepts, shows in QUIRKS if accepts == theirs and shows(record)), None)
        if quirk is None:
            wrong.append((record, answer, 'ok' if theirs else 'permerror'))
        else:
            seen[quirk] += 1
    print('%d records: both accept %d, both refuse %d, known quirks %d, differences %d'
          % (count, both_accept, both_refuse, sum(seen.values()), len(wrong)))
    for name, n in seen.items():
        print('  quirk %5d  %s' % (n, name))
    for record, ours, theirs in wrong[:20]:
        print('DIFFERENT %r: ours %s, pyspf %s' % (record, ours, theirs))
    # A generator that made only good or only bad records would prove nothing.
    return 1 if wrong or min(both_accept, both_refuse) < count // 10 else 0


if __name__ == '__main__':
    sys.exit(main())
