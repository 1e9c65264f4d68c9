"""Small SVG charts for bench/compare: lines over a logarithmic x axis, and rows of dots. Readable on light and dark pages."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 78, 190, 54, 58
STYLE = """<style>
svg{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;background:#fff}
text{fill:#1f2328}.small{font-size:12px}.title{font-size:16px;font-weight:600}.quiet{fill:#59636e}
.axis{stroke:#59636e;stroke-width:1}.grid{stroke:#d1d9e0;stroke-width:1}
.line{fill:none;stroke-width:2.2}
@media (prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.quiet{fill:#9198a1}
.axis{stroke:#9198a1}.grid{stroke:#30363d}}
</style>"""
# Told apart also without colour: each has a mark of its own. Bright enough for dark, dark enough for light pages.
COLOURS = ("#2f81f7", "#1a9e4b", "#e5534b", "#a371f7", "#d4820a", "#768390", "#c2559b", "#1f9da8")
MARKS = ("circle", "square", "diamond", "up", "down")


def mark(kind, x, y, colour, title):
    shapes = {"circle": '<circle cx="0" cy="0" r="4.5"/>', "square": '<rect x="-4" y="-4" width="8" height="8"/>',
              "diamond": '<path d="M0-5.5 5.5 0 0 5.5-5.5 0z"/>', "up": '<path d="M0-5.5 5 4-5 4z"/>',
              "down": '<path d="M0 5.5 5-4-5-4z"/>'}
    return '<g transform="translate(%.1f %.1f)" fill="%s"><title>%s</title>%s</g>' % (x, y, colour, escape(title), shapes[kind])


def short(value):
    """1,234,567 -> 1.2M, for axes"""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return ("%.3g" % (value / limit)) + suffix
    return "%.3g" % value


def log_ticks(low, high):
    """1, 10, 100 ...; also 2 and 5 when there are few."""
    ticks = []
    narrow = math.log10(high / low) < 2.7
    for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for m in ((1, 2, 5) if narrow else (1,)):
            if low * 0.999 <= m * 10.0 ** e <= high * 1.001:
                ticks.append(m * 10.0 ** e)
    return ticks


class Axis:
    """A logarithmic axis from pixel `a` to pixel `b`."""

    def __init__(self, values, a, b):
        low, high = min(values), max(values)
        if high / low < 4:
            low, high = low / 2, high * 2
        self.low, self.high, self.a, self.b = low / 1.12, high * 1.12, a, b

    def at(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.a + share * (self.b - self.a)

    def ticks(self):
        return log_ticks(self.low, self.high)


def frame(title, subtitle, height):
    return ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">' %
            (WIDTH, height, WIDTH, height), "<title>%s</title>" % escape(title), STYLE,
            '<text class="title" x="16" y="24">%s</text>' % escape(title),
            '<text class="small quiet" x="16" y="42">%s</text>' % escape(subtitle)]


def lines(title, subtitle, x_label, y_label, series, names):
    """`series`: {name: [(x, y)]}, both axes logarithmic. `names`: of all charts, so that each looks the same in all.
    -> SVG text"""
    series = {name: sorted(points) for name, points in series.items() if points}
    if not series:
        return None
    xs = Axis([x for points in series.values() for x, _ in points], LEFT, WIDTH - RIGHT)
    ys = Axis([y for points in series.values() for _, y in points], HEIGHT - BOTTOM, TOP)
    out = frame(title, subtitle, HEIGHT)
    for t in ys.ticks():
        out.append('<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>' % (LEFT, WIDTH - RIGHT, ys.at(t), ys.at(t)))
        out.append('<text class="small" text-anchor="end" x="%d" y="%.1f">%s</text>' % (LEFT - 8, ys.at(t) + 4, short(t)))
    for t in xs.ticks():
        out.append('<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % (xs.at(t), xs.at(t), TOP, HEIGHT - BOTTOM))
        out.append('<text class="small" text-anchor="middle" x="%.1f" y="%d">%s</text>' %
                   (xs.at(t), HEIGHT - BOTTOM + 18, short(t)))
    out.append('<path class="axis" fill="none" d="M%d %dV%dH%d"/>' % (LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT))
    out.append('<text text-anchor="middle" x="%d" y="%d">%s</text>' %
               ((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, escape(x_label)))
    out.append('<text text-anchor="middle" transform="translate(20 %d) rotate(-90)">%s</text>' %
               ((TOP + HEIGHT - BOTTOM) / 2, escape(y_label)))
    labels = []
    for name, points in series.items():
        i = names.index(name)
        colour, kind = COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]
        path = " ".join("%s%.1f %.1f" % ("L" if k else "M", xs.at(x), ys.at(y)) for k, (x, y) in enumerate(points))
        dash = ' stroke-dasharray="5 4"' if name.startswith("echo") else ""
        out.append('<path class="line" stroke="%s"%s d="%s"/>' % (colour, dash, path))
        out += [mark(kind, xs.at(x), ys.at(y), colour, "%s: %s: %.3g" % (name, short(x), y)) for x, y in points]
        labels.append([ys.at(points[-1][1]), name, colour, kind])
    labels.sort()
    step = 17                                           # names at the ends of the lines, never on one another
    for i in range(1, len(labels)):
        labels[i][0] = max(labels[i][0], labels[i - 1][0] + step)
    lowest = HEIGHT - BOTTOM
    for label in reversed(labels):
        label[0] = min(label[0], lowest)
        lowest = label[0] - step
    for y, name, colour, kind in labels:
        out.append(mark(kind, WIDTH - RIGHT + 14, y, colour, name))
        out.append('<text class="small" x="%d" y="%.1f">%s</text>' % (WIDTH - RIGHT + 24, y + 4, escape(name)))
    return "\n".join(out + ["</svg>\n"])


def dots(title, subtitle, x_label, groups, names):
    """`groups`: {heading: [(label, [value per name])]}, one logarithmic axis. -> SVG text"""
    if not groups:
        return None
    left, right, step = 250, 24, 22
    height = TOP + 26 + step * sum(1 + len(rows) for rows in groups.values()) + BOTTOM
    xs = Axis([v for rows in groups.values() for _, values in rows for v in values], left, WIDTH - right)
    out = frame(title, subtitle, height)
    for i, name in enumerate(names):
        out.append(mark(MARKS[i], left + 10 + 90 * i, TOP + 10, COLOURS[i], name))
        out.append('<text class="small" x="%d" y="%d">%s</text>' % (left + 20 + 90 * i, TOP + 14, escape(name)))
    top, bottom = TOP + 26, height - BOTTOM
    for t in xs.ticks():
        out.append('<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % (xs.at(t), xs.at(t), top, bottom))
        out.append('<text class="small" text-anchor="middle" x="%.1f" y="%d">%s</text>' % (xs.at(t), bottom + 18, short(t)))
    y = top - step / 2
    for heading, rows in groups.items():
        y += step
        out.append('<text font-weight="600" x="16" y="%.1f">%s</text>' % (y + 4, escape(heading)))
        for label, values in rows:
            y += step
            shown = [xs.at(v) for v in values]
            out.append('<text class="small" text-anchor="end" x="%d" y="%.1f">%s</text>' % (left - 10, y + 4, escape(label)))
            out.append('<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>' % (min(shown), max(shown), y, y))
            out += [mark(MARKS[i], xs.at(v), y, COLOURS[i], "%s, %s: %.4g" % (label, names[i], v)) for i, v in enumerate(values)]
    out.append('<text text-anchor="middle" x="%d" y="%d">%s</text>' % ((left + WIDTH - right) / 2, height - 16, escape(x_label)))
    return "\n".join(out + ["</svg>\n"])
