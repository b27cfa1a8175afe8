"""Opens the files of a report with other people's readers and compares what they find.

Each folder named on the command line holds `expected.json` and the files `report.<ending>`. Ends with
0 when every reader finds every marker on its frame.
"""

import csv
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree
from fractions import Fraction

import opentimelineio as otio
import pypdf
import srt
import webvtt


class Case:
    def __init__(self, folder):
        self.folder = folder
        expected = json.loads((folder / "expected.json").read_text("utf-8"))
        self.rate = Fraction(*expected["rate"])
        self.drop = expected["drop"]
        self.start = expected["start_frame"]
        self.markers = expected["markers"]

    def path(self, ending):
        return str(self.folder / f"report.{ending}")

    def read(self, ending):
        return (self.folder / f"report.{ending}").read_text("utf-8")

    def same(self, what, found, wanted):
        if found != wanted:
            raise SystemExit(f"{self.folder.name}: {what}: {found!r} instead of {wanted!r}")

    def frames(self):
        return [marker["first"] for marker in self.markers]

    def timecode(self, time):
        return otio.opentime.to_timecode(time, float(self.rate), self.drop)


def opentimelineio(case):
    timeline = otio.adapters.read_from_file(case.path("otio"))
    [clip] = timeline.find_clips()
    found = [marker.marked_range for marker in clip.markers]
    case.same("otio frames", [r.start_time.value - case.start for r in found], case.frames())
    case.same("otio lengths", [r.duration.value for r in found], [m["length"] for m in case.markers])
    case.same("otio timecodes", [case.timecode(r.start_time) for r in found], [m["timecode"] for m in case.markers])
    case.same("otio start", timeline.global_start_time.value, float(case.start))
    case.same("otio rate", round(found[0].start_time.rate, 9), round(float(case.rate), 9))
    case.same("otio clip", clip.range_in_parent().start_time.value, 0.0)


def resolve(case):
    timeline = otio.adapters.read_from_string(case.read("markers.edl"), "cmx_3600", rate=float(case.rate))
    clips = timeline.find_clips()
    found = [clip.source_range.start_time.value - case.start for clip in clips]
    case.same("edl frames", found, case.frames())
    for clip, marker in zip(clips, case.markers):
        [comment] = clip.metadata["cmx_3600"]["comments"]
        case.same("edl length", comment.rsplit("|D:", 1)[1], str(marker["length"]))
    for line, marker in zip([l for l in case.read("markers.edl").splitlines() if " V " in l], case.markers):
        case.same("edl timecode", line.split()[4], marker["timecode"])


def premiere(case):
    timeline = otio.adapters.read_from_string(case.read("fcp7.xml"), "fcp_xml")
    found = [marker.marked_range for marker in timeline.tracks.markers]
    case.same("fcp7 frames", [r.start_time.value for r in found], case.frames())
    # One frame is said as "no length".
    lengths = [m["length"] if m["length"] > 1 else 0 for m in case.markers]
    case.same("fcp7 lengths", [r.duration.value for r in found], lengths)
    case.same("fcp7 rate", round(found[0].start_time.rate, 6), round(float(case.rate), 6))
    sequence = ElementTree.fromstring(case.read("fcp7.xml")).find("sequence")
    case.same("fcp7 start", int(sequence.findtext("timecode/frame")), case.start)
    case.same("fcp7 counting", sequence.findtext("timecode/displayformat"), "DF" if case.drop else "NDF")


def final_cut(case):
    text = case.read("fcpxml")
    # The adapter counts 29.97 as 29 frames a second: from it names and their number only, and times where
    # its arithmetic is whole; everywhere else the fractions themselves are compared.
    [timeline] = otio.adapters.read_from_string(text, "fcpx_xml")
    [clip] = timeline.find_clips()
    case.same("fcpx names", [m.name for m in clip.markers], [m["name"] for m in case.markers])
    root = ElementTree.fromstring(text)
    fraction = lambda value: Fraction(value.removesuffix("s"))
    frame = fraction(root.find("resources/format").get("frameDuration"))
    case.same("fcpx rate", 1 / frame, case.rate)
    starts = [fraction(m.get("start")) / frame - case.start for m in root.iter("marker")]
    case.same("fcpx frames", starts, case.frames())
    lengths = [fraction(m.get("duration")) / frame for m in root.iter("marker")]
    case.same("fcpx lengths", lengths, [m["length"] for m in case.markers])
    sequence = next(root.iter("sequence"))
    case.same("fcpx start", fraction(sequence.get("tcStart")) / frame, case.start)
    case.same("fcpx counting", sequence.get("tcFormat"), "DF" if case.drop else "NDF")


def subtitles(case):
    times = [marker["start_ms"] for marker in case.markers]
    cues = list(srt.parse(case.read("srt")))
    case.same("srt times", [round(c.start.total_seconds() * 1000) for c in cues], times)
    captions = webvtt.read(case.path("vtt"))
    case.same("vtt times", [millis(caption.start) for caption in captions], times)
    for masked in (list(srt.parse(case.read("masked.srt"))), webvtt.read(case.path("masked.vtt")).captions):
        case.same("masked cues", len(masked), 0)


def millis(clock):
    hours, minutes, seconds = clock.split(":")
    whole, part = seconds.split(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000 + int(part)


def table(case):
    with open(case.path("csv"), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    case.same("csv timecodes", [row[1] for row in rows[1:]], [m["timecode"] for m in case.markers])


def pages(case):
    reader = pypdf.PdfReader(case.path("pdf"), strict=True)
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for wanted in ["Отчёт о проверке видео", "Нагота и эротика"] + [m["timecode"] for m in case.markers]:
        if wanted not in text:
            raise SystemExit(f"{case.folder.name}: pdf: {wanted!r} is not in {text!r}")


for name in sys.argv[1:]:
    case = Case(pathlib.Path(name))
    for check in (opentimelineio, resolve, premiere, final_cut, subtitles, table, pages):
        check(case)
