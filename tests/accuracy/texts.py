"""The sentences of `text/`, with what has to be found in each, and their comparison with what `judge` finds.

Half of them, chosen by a checksum of the sentence, is held out: the dictionaries are mended by looking at the other
half only, and both are reported. A line that begins with `+` has been thought of while mending and is held out no more.
"""

import json
import re
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import score
from score import Found, Planted

FOLDER = Path(__file__).resolve().parent / "text"
MARK = re.compile(r"\{(\??)([a-z|-]+):([^{}]+)\}")
# Degrees of one category.
PROFANITY = ("strong", "mild")
DEGREES = {"unmarked": "advertising-unmarked", "partly": "advertising-unmarked", "marked": "advertising-marked"}
ADVERTS = "adverts.txt"


@dataclass(frozen=True)
class Sentence:
    """What is said and shown, without marks; `labels` are as they were written, one for each planted thing."""

    place: str
    said: str
    shown: str
    planted: tuple
    labels: tuple
    seen: bool

    @property
    def is_advert(self):
        return self.place.startswith(ADVERTS)

    @property
    def held_out(self):
        return not self.seen and zlib.crc32(self.said.encode()) % 2 == 1


def sentences():
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("# "):
                read = advert if path.name == ADVERTS else marked
                found.append(read(f"{path.name}:{number}", line))
    return found


def without_mark(line):
    rest = line.removeprefix("+ ")
    return rest, rest != line


def marked(place, line):
    """`Он выпил {alcohol:водки}.`"""
    line, seen = without_mark(line)
    plain, planted, labels, at = "", [], [], 0
    for mark in MARK.finditer(line):
        plain += line[at : mark.start()]
        optional, names, words = mark.groups()
        categories = tuple("profanity" if name in PROFANITY else name for name in names.split("|"))
        planted.append(Planted(categories, len(plain), len(plain) + len(words), optional=bool(optional), note=words))
        labels.append(names)
        plain += words
        at = mark.end()
    plain += line[at:]
    if "{" in plain or "}" in plain:
        raise ValueError(f"{place}: a brace without its other half")
    return Sentence(place, plain, "", tuple(planted), tuple(labels), seen)


def advert(place, line):
    """`unmarked: said // shown`"""
    line, seen = without_mark(line)
    degree, _, rest = line.partition(": ")
    said, _, shown = rest.partition(" // ")
    if degree == "none":
        return Sentence(place, said, shown, (), (), seen)
    if degree not in DEGREES:
        raise ValueError(f"{place}: {degree!r} is no degree")
    whole = Planted((DEGREES[degree],), 0, len(rest), note=said)
    return Sentence(place, said, shown, (whole,), (degree,), seen)


def judged(judge, asked):
    """What the product finds in each sentence: a list of (finding, verdict)."""
    lines = [json.dumps({"said": s.said, "shown": s.shown}, ensure_ascii=False) for s in asked]
    done = subprocess.run([judge], input="\n".join(lines) + "\n", capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"{judge}: {done.stderr.strip()}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(asked):
        raise RuntimeError(f"{judge}: {len(answers)} answers to {len(asked)} sentences")
    return [[finding(sentence, one) for one in answer] for sentence, answer in zip(asked, answers)]


def finding(sentence, one):
    text = sentence.shown if one["task"] == "text" else sentence.said
    before = len(sentence.said) + 1 if one["task"] == "text" else 0
    # An excerpt of a long text has lost its place.
    start, end = (one["start"], one["end"]) if one["start"] is not None else (0, len(text))
    return Found(named(one["category"], one["code"]), before + start, before + end, note=one["entry"]), one["verdict"]


def named(category, code):
    """The category; how far advertising is marked stands in the code of its risk only."""
    if "unmarked" in code or "partly" in code:
        return "advertising-unmarked"
    return "advertising-marked" if code.endswith("_marked") else category


def is_scored(sentence, found):
    """Sentences about advertising are full of brands, and are not looked at for other categories."""
    return not sentence.is_advert or found.category.startswith("advertising-")


def compare(sentence, findings):
    found = [found for found, _ in findings if is_scored(sentence, found)]
    return score.compare(sentence.planted, found, tolerance=0)


def compare_obscene(sentence, findings):
    """Whether what fails a video is what must: coarse words only ask for a look."""
    planted, open_ = [], []
    for thing, label in zip(sentence.planted, sentence.labels):
        degree = label.split("|")[0]
        if degree == "strong":
            planted.append(Planted(("profanity",), thing.start, thing.end, optional=thing.optional, note=thing.note))
        elif degree == "profanity":
            open_.append(Planted(("profanity",), thing.start, thing.end, optional=True, note=thing.note))
    found = [found for found, verdict in findings if found.category == "profanity" and verdict == "fail"]
    return score.compare([*planted, *open_], found, tolerance=0)
