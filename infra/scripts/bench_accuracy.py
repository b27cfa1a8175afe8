#!/usr/bin/env python3
"""Measures how right the findings are: `bench_accuracy.py JUDGE [COMPLIANCE] [--write]`.

The sentences of tests/accuracy/text go through JUDGE, which is the policy alone; with COMPLIANCE the clips that
tests/accuracy/media.py builds go through the whole chain as well. Prints what was missed and what was invented (of the
sentences only in the half by which the dictionaries may be mended), then tables; `--write` puts the tables into the
README. Ends with 1 when a target is missed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "accuracy"))

import media  # noqa: E402
import score  # noqa: E402
import texts  # noqa: E402
from score import Found, Tally, percent, seconds, share, table, tally  # noqa: E402

MARKER = "accuracy"
OBSCENE = "profanity that fails a video"
UNMARKED = "advertising-unmarked"
# What noticed a risk, by how the report names it.
SOURCES = {"whisper": "speech", "easyocr": "text", "advertising": "advert"}
# Settings of the machine that a check needs; nothing else leaks in.
INHERITED = ("PATH", "HOME", "XDG_CACHE_HOME", "MODELS_DIR", "MODELS_SOURCE")


def main(arguments):
    programs = [argument for argument in arguments if argument != "--write"]
    if not 1 <= len(programs) <= 2 or any(program.startswith("--") for program in programs):
        sys.exit(__doc__)
    parts, targets = of_texts(programs[0])
    if len(programs) == 2:
        more, wanted = of_media(programs[1])
        parts, targets = parts + more, targets + wanted
    tables = "\n\n".join(parts)
    print(tables)
    if "--write" in arguments:
        readme = ROOT / "README.md"
        readme.write_text(score.between(readme.read_text(encoding="utf-8"), MARKER, tables), encoding="utf-8")
    met = [value is not None and value >= least for _, value, least in targets]
    for is_met, (name, value, least) in zip(met, targets):
        print(f"{'met   ' if is_met else 'MISSED'} {name}: {percent(value)}, wanted {least}")
    return all(met)


def tell(rows):
    """Each miss and each invention, for (where, what stands there, outcome)."""
    for where, what, outcome in rows:
        for planted in outcome.missed:
            print(f"missed   {where}: {planted.category} {planted.note!r} in {what!r}")
        for found in outcome.invented:
            print(f"invented {where}: {found.category} {found.note!r} in {what!r}")


def of_texts(judge):
    asked = texts.sentences()
    judged = list(zip(asked, texts.judged(judge, asked)))
    seen = half([(sentence, found) for sentence, found in judged if not sentence.held_out], told=True)
    unseen = half([(sentence, found) for sentence, found in judged if sentence.held_out], told=False)
    lines = []
    for category in sorted({*seen, *unseen}):
        a, b = seen.get(category, Tally()), unseen.get(category, Tally())
        figures = [percent(b.precision), percent(b.recall), percent(b.f1)]
        lines.append([category, a.planted, percent(a.precision), percent(a.recall), b.planted, *figures])
    innocent = sum(not sentence.planted for sentence in asked)
    intro = (
        f"Text alone: {len(asked):,} sentences in Russian and English, {innocent} of them with nothing to find. The "
        "dictionaries may be mended by the first half of them; the second, chosen by a checksum, is held out."
    )
    head = ["category", "first half", "precision", "recall", "held out", "precision", "recall", "F1"]
    profanity = unseen.get("profanity", Tally())
    unmarked = score.joined(seen.get(UNMARKED, Tally()), unseen.get(UNMARKED, Tally()))
    targets = [
        ("held-out texts, profanity, precision", profanity.precision, 0.98),
        ("held-out texts, profanity, recall", profanity.recall, 0.95),
        ("all texts, unmarked advertising, F1", unmarked.f1, 0.9),
        ("held-out texts, unmarked advertising, F1", unseen.get(UNMARKED, Tally()).f1, 0.85),
    ]
    return [intro, table(head, lines)], targets


def half(judged, told):
    outcomes = [texts.compare(sentence, found) for sentence, found in judged]
    if told:
        tell((sentence.place, sentence.said, outcome) for (sentence, _), outcome in zip(judged, outcomes))
    obscene = tally([texts.compare_obscene(sentence, found) for sentence, found in judged], lambda _: OBSCENE)
    return tally(outcomes, lambda thing: thing.category) | obscene


def of_media(program):
    clips = media.build(told=lambda line: print(line, file=sys.stderr, flush=True))
    began = time.monotonic()
    reports = checked(program, clips)
    took = time.monotonic() - began
    outcomes = {}
    for clip in clips:
        found = [risk for risk in risks(reports[clip.name]) if is_scored(clip, risk)]
        outcomes[clip.name] = score.compare(media.labels(clip), found)
    tell((name, name, outcome) for name, outcome in outcomes.items())
    length = sum(report["video"]["duration_seconds"] for report in reports.values())
    intro = (
        f"The whole chain with the local models: {len(clips)} clips, {length / 60:.0f} minutes of video, checked in "
        f"{took / 60:.0f}. An event counts when category and source are right and it overlaps what was planted within "
        "half a second; the errors are those of its start and end."
    )
    rows = tally(outcomes.values(), lambda thing: (thing.category, thing.source or "advert"), doubles_are_wrong=True)
    lines = [
        [category, source, row.planted, percent(row.precision), percent(row.recall), percent(row.f1),
         seconds(row.median_error), seconds(row.worst_error)]
        for (category, source), row in sorted(rows.items())
    ]
    head = ["category", "source", "planted", "precision", "recall", "F1", "median error", "worst"]
    cards = [outcomes["cards.mp4"]]
    spoken = [outcome for name, outcome in outcomes.items() if name.startswith("speech-")]
    lasting, dressed = by_note(cards, lambda note: note.split(", ")[1]), by_note(cards, lambda note: note.split(", ")[0])
    targets = [
        ("cards of 0.5 s and longer, plain words, recall", lasting_recall(lasting, masked=False), 1.0),
        ("cards of 0.5 s and longer, masked words, recall", lasting_recall(lasting, masked=True), 1.0),
        ("clips, unmarked advertising, F1", rows.get((UNMARKED, "advert"), Tally()).f1, 0.9),
    ]
    for details in (counted("card drawn", dressed), counted("voice", by_note(spoken, str))):
        print(f"{details}\n")
    return [intro, table(head, lines), counted("card shown for", lasting)], targets


def lasting_recall(lasting, masked):
    """A mask has to be read sign by sign: it is a matter of its own."""
    rows = [row for note, row in lasting.items() if number(note) >= 0.5 and note.endswith("masked") == masked]
    return share(sum(row.hits for row in rows), sum(row.planted for row in rows))


def by_note(outcomes, part):
    """A tally per part of the planted things' notes, in the order of the notes."""
    rows = {}
    for outcome in outcomes:
        for planted, is_found in [*((pair[0], True) for pair in outcome.pairs), *((p, False) for p in outcome.missed)]:
            row = rows.setdefault(part(planted.note), Tally())
            row.hits, row.missed = row.hits + is_found, row.missed + (not is_found)
    return dict(sorted(rows.items(), key=lambda row: (number(row[0]), row[0])))


def number(note):
    head = note.split()[0]
    return float(head) if head.replace(".", "").isdigit() else 0.0


def counted(name, rows):
    return table([name, "planted", "found"], [[key, row.planted, row.hits] for key, row in rows.items()])


def risks(report):
    for risk in report["risks"]:
        source = next((name for start, name in SOURCES.items() if risk["source"].startswith(start)), "picture")
        category = texts.named(risk["category"], risk["code"])
        quoted = risk["evidence"][0].get("text") if risk["evidence"] else None
        times = f"{risk['start_seconds']:.1f}–{risk['end_seconds']:.1f} s"
        yield Found(category, risk["start_seconds"], risk["end_seconds"], source, f"{times}, {source}: {quoted}")


def is_scored(clip, risk):
    """Advertisements name brands, and are not looked at for other risks."""
    return not clip.name.startswith("advert-") or risk.category.startswith("advertising-")


def checked(program, clips):
    """The report of each clip, by its name."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "out")
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        settings = {**inherited, "DATA_DIR": str(Path(scratch, "data")), "LANG": "en_US.UTF-8"}
        command = [program, "check", *map(str, clips), "--out", str(out), "--format", "json"]
        # Its code says whether there are risks; a clip that could not be checked has no report.
        subprocess.run(command, env=settings, stdout=subprocess.DEVNULL, check=False)
        found = {clip.name: out / f"{clip.name}.report.json" for clip in clips}
        lacking = [name for name, path in found.items() if not path.exists()]
        if lacking:
            sys.exit(f"bench: no report of {', '.join(lacking)}")
        return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in found.items()}


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
