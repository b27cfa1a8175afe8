"""Compares what was found with what was planted: precision, recall, F1 and time error.

A planted thing and a found one are a pair when one of the categories that the label allows is the found one's, the
sources agree where the label names one, and the two overlap, give or take the tolerance. Each is in one pair at most,
and as many pairs as possible are made.
"""

import statistics
from dataclasses import dataclass, field

TOLERANCE = 0.5  # seconds


@dataclass(frozen=True)
class Planted:
    """What is there. Of several categories any is right, the first is the one that it is counted under."""

    categories: tuple
    start: float
    end: float
    source: str = ""
    optional: bool = False
    note: str = ""

    @property
    def category(self):
        return self.categories[0]


@dataclass(frozen=True)
class Found:
    """What the product says."""

    category: str
    start: float
    end: float
    source: str = ""
    note: str = ""


def overlap(a, b, tolerance):
    return a.start < b.end + tolerance and b.start < a.end + tolerance


def fits(planted, found, tolerance):
    return (
        found.category in planted.categories
        and planted.source in ("", found.source)
        and overlap(planted, found, tolerance)
    )


@dataclass
class Outcome:
    """Pairs, what was missed and what was invented; `doubles` say again what is in a pair already."""

    pairs: list
    missed: list
    invented: list
    doubles: list


def compare(planted, found, tolerance=TOLERANCE):
    """One to one, as many pairs as possible (augmenting paths)."""
    owner = {}

    def seat(i, seen):
        order = sorted(range(len(found)), key=lambda j: abs(found[j].start - planted[i].start))
        for j in order:
            if j not in seen and fits(planted[i], found[j], tolerance):
                seen.add(j)
                if j not in owner or seat(owner[j], seen):
                    owner[j] = i
                    return True
        return False

    # What must be found chooses before what may be.
    for i in sorted(range(len(planted)), key=lambda i: planted[i].optional):
        seat(i, set())
    paired = set(owner.values())
    pairs = [(planted[i], found[j]) for j, i in owner.items() if not planted[i].optional]
    missed = [p for i, p in enumerate(planted) if i not in paired and not p.optional]
    invented, doubles = [], []
    for j, extra in enumerate(found):
        if j not in owner:
            again = any(fits(p, extra, tolerance) for p in planted)
            (doubles if again else invented).append(extra)
    return Outcome(pairs, missed, invented, doubles)


@dataclass
class Tally:
    """Counts of one row of a table."""

    hits: int = 0
    missed: int = 0
    invented: int = 0
    errors: list = field(default_factory=list)

    @property
    def planted(self):
        return self.hits + self.missed

    @property
    def precision(self):
        return share(self.hits, self.hits + self.invented)

    @property
    def recall(self):
        return share(self.hits, self.planted)

    @property
    def f1(self):
        return share(2 * self.hits, 2 * self.hits + self.missed + self.invented)

    @property
    def median_error(self):
        return statistics.median(self.errors) if self.errors else None

    @property
    def worst_error(self):
        return max(self.errors) if self.errors else None


def joined(*tallies):
    """Of several rows one."""
    errors = [error for tally in tallies for error in tally.errors]
    counts = [sum(counts) for counts in zip(*((t.hits, t.missed, t.invented) for t in tallies))]
    return Tally(*counts, errors)


def share(part, whole):
    """`None` where there was nothing to be right or wrong about."""
    return part / whole if whole else None


def tally(outcomes, key, doubles_are_wrong=False):
    """A tally per `key(planted or found)`. Twice the same is an invention only where events are merged before."""
    rows = {}

    def row(thing):
        return rows.setdefault(key(thing), Tally())

    for outcome in outcomes:
        for planted, found in outcome.pairs:
            row(planted).hits += 1
            row(planted).errors += [abs(planted.start - found.start), abs(planted.end - found.end)]
        for planted in outcome.missed:
            row(planted).missed += 1
        for found in outcome.invented + (outcome.doubles if doubles_are_wrong else []):
            row(found).invented += 1
    return rows


def percent(value):
    return "–" if value is None else f"{value:.3f}"


def seconds(value):
    return "–" if value is None else f"{value:.2f} s"


def table(head, rows):
    """Markdown; numbers stand at the right."""
    align = [":--" if i == 0 else "--:" for i, _ in enumerate(head)]
    lines = [head, align, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def between(text, name, body):
    """`text` with everything between its two markers replaced by `body`."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"the text needs {begin} and, behind it, {end}, once each")
    head, rest = text.split(begin)
    return f"{head}{begin}\n{body.strip()}\n{end}{rest.split(end)[1]}"
