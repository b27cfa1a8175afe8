"""Builds the clips of the set, each with FILE.labels.json beside it, and reads their labels again.

Everything in them is made here or comes in a package under a free licence: synthesised speech, the recordings of
Debian's pocketsphinx-testdata (BSD-2), the two films of the labelled clips, drawn texts and QR codes. Few long clips are
cheaper than many short ones; advertisements are joined over time and need clips of their own.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import cards
import planted
import speakers
import texts
from score import Planted
from speakers import ffmpeg, pictures, voices

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "compliance"
RECORDINGS = Path("/usr/share/pocketsphinx/test/data")
LENGTHS = (0.3, 0.5, 1.0, 2.0, 5.0)
ROUNDS = 2
# Further apart than the policy merges hits of one category.
PAUSE_SPEECH, PAUSE_CARD = 1.3, 0.8
# Signs that stand in for letters: a reader has to get each of them right.
MASKS = "*@"
ADVERT_SECONDS = 11.0
EDGE = 1.0


@dataclass
class Clip:
    """What stands where. `film` is off where only the sound matters: a still picture is looked at once."""

    name: str
    seconds: float = EDGE
    film: bool = True
    said: list = field(default_factory=list)  # (second, utterance)
    shown: list = field(default_factory=list)  # (start, end, style, text)
    codes: list = field(default_factory=list)  # (start, end, payload)
    labels: list = field(default_factory=list)

    def say(self, sentence, speaker, utterance):
        """After everything else; the marked words become labels."""
        at = self.seconds
        self.said.append((at, utterance))
        for thing in sentence.planted:
            start, end = place(sentence.said, thing.note, utterance)
            self.label(thing.categories, at + start, at + end, "speech", thing.note, speaker.name)
        self.seconds = at + len(utterance.samples) / voices.RATE + PAUSE_SPEECH

    def show(self, sentence, style, length):
        start, end = self.seconds, self.seconds + length
        self.shown.append((start, end, style, sentence.said))
        for thing in sentence.planted:
            masked = " masked" if set(thing.note) & set(MASKS) else ""
            self.label(thing.categories, start, end, "text", thing.note, f"{style}, {length:g} s{masked}")
        self.seconds = end + PAUSE_CARD

    def label(self, categories, start, end, source, words, note):
        row = {"category": categories[0], "or": list(categories[1:]), "source": source}
        self.labels.append({**row, "start": round(start, 3), "end": round(end, 3), "words": words, "note": note})


def place(text, words, utterance):
    """When the words of a sentence are said."""
    parts, wanted = text.split(), words.split()
    if len(parts) == len(utterance.words):
        for first in range(len(parts) - len(wanted) + 1):
            if [voices.plain(part) for part in parts[first : first + len(wanted)]] == [w.lower() for w in wanted]:
                return utterance.words[first][1], utterance.words[first + len(wanted) - 1][2]
    return utterance.find(words)


def speech(name, written, cast, folder):
    """Every sentence by the next of the speakers."""
    sentences = read(written)
    lines = [(cast[number % len(cast)], sentence) for number, sentence in enumerate(sentences)]
    utterances = speakers.speak_all([(speaker, sentence.said) for speaker, sentence in lines], folder)
    clip = Clip(name, film=False)
    for (speaker, sentence), utterance in zip(lines, utterances):
        clip.say(sentence, speaker, utterance)
    return clip


def drawn():
    """Each style for each length, twice."""
    clip, sentences = Clip("cards"), read(planted.CARDS)
    number = 0
    for _ in range(ROUNDS):
        for style in cards.STYLES:
            for length in LENGTHS:
                clip.show(sentences[number % len(sentences)], style, length)
                number += 1
    return clip


def recordings(folder):
    """People who read, count and give orders; then sounds that are no speech. Nothing may be found."""
    clip = Clip("recordings")
    for path in sorted([*RECORDINGS.glob("librivox/*.wav"), *RECORDINGS.glob("cards/*.wav")]):
        voices.resample(path, folder / path.name)
        samples = voices.read(folder / path.name)
        clip.said.append((clip.seconds, voices.Utterance(samples, [])))
        clip.seconds += len(samples) / voices.RATE + PAUSE_SPEECH
    music = "aevalsrc='0.2*sin(2*PI*220*t)+0.2*sin(2*PI*(277+55*floor(mod(2*t,3)))*t)':d=8"
    for name, source in (("music", music), ("noise", "anoisesrc=color=pink:amplitude=0.2:duration=8:seed=1")):
        out = folder / f"{name}.wav"
        ffmpeg("-f", "lavfi", "-i", source, "-ar", voices.RATE, "-ac", 1, out)
        clip.said.append((clip.seconds, voices.Utterance(voices.read(out), [])))
        clip.seconds += 8 + PAUSE_SPEECH
    step = clip.seconds / len(planted.QUIET_SHOWN)
    for number, text in enumerate(planted.QUIET_SHOWN):
        clip.shown.append((number * step + 1, number * step + 4, "caption", text))
    if not clip.said:
        raise FileNotFoundError(f"{RECORDINGS} is missing: install pocketsphinx-testdata")
    return clip


def adverts(folder):
    """One short clip each: what is said, a caption and a code in the same ten seconds."""
    casts = {"ru": speakers.RUSSIAN, "en": speakers.ENGLISH}
    lines = [(casts[lang][n % 4], said) for n, (_, lang, said, _, _) in enumerate(planted.ADVERTS)]
    clips = []
    for number, (row, utterance) in enumerate(zip(planted.ADVERTS, speakers.speak_all(lines, folder))):
        degree, _, said, shown, code = row
        clip = Clip(f"advert-{number:02}-{degree}", seconds=ADVERT_SECONDS, said=[(EDGE, utterance)])
        if shown:
            clip.shown.append((EDGE, ADVERT_SECONDS - EDGE, "caption", shown))
        if code:
            clip.codes.append((EDGE, ADVERT_SECONDS - EDGE, code))
        if degree in texts.DEGREES:
            words = " | ".join(part for part in (said, shown, code) if part)
            clip.label((texts.DEGREES[degree],), EDGE, ADVERT_SECONDS - EDGE, "", words, degree)
        clips.append(clip)
    return clips


def read(written):
    lines = [line for line in written.splitlines() if line]
    return [texts.marked(f"planted.py: {line}", line) for line in lines]


def folder():
    """Named after everything that the clips are made of."""
    here = Path(__file__).resolve().parent
    shared = [here.parent / "fixtures" / name for name in ("voices.py", "pictures.py")]
    made_by = [here / name for name in ("cards.py", "media.py", "planted.py", "speakers.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in [*made_by, *shared])).hexdigest()
    return CACHE / "accuracy" / digest[:16]


def build(told=print):
    """The clips, made once; a half-made set never has its final name."""
    final = folder()
    if not final.exists():
        voices.require("ffmpeg", "festival", "espeak-ng", "flite")
        (CACHE / "accuracy").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE / "accuracy") as scratch:
            scratch = Path(scratch)
            (scratch / "set").mkdir()
            for clip in every(scratch):
                told(f"accuracy: {clip.name}.mp4, {clip.seconds:.0f} s, {len(clip.labels)} labels")
                write(clip, scratch)
            shutil.move(scratch / "set", final)
    return sorted(final.glob("*.mp4"))


def every(scratch):
    for name in ("ru", "en", "ads", "people"):
        (scratch / name).mkdir()
    yield speech("speech-ru", planted.RUSSIAN, speakers.RUSSIAN, scratch / "ru")
    yield speech("speech-en", planted.ENGLISH, speakers.ENGLISH, scratch / "en")
    yield drawn()
    yield recordings(scratch / "people")
    yield from adverts(scratch / "ads")


def write(clip, scratch):
    work = scratch / clip.name
    work.mkdir()
    sound = work / "sound.wav"
    voices.write(sound, voices.track(clip.seconds, clip.said))
    inputs = ["-i", background(scratch)] if clip.film else ["-f", "lavfi", "-i", "color=c=0x20304a:s=1280x720:r=25"]
    inputs += ["-i", sound]
    steps = [",".join(["[0:v]null", *cards.filters(clip.shown, work)]) + "[v0]"]
    for number, (start, end, payload) in enumerate(clip.codes):
        cards.code(payload, work / f"code{number}.png")
        inputs += ["-loop", "1", "-i", work / f"code{number}.png"]
        steps.append(f"[v{number}][{number + 2}:v]overlay=x=W-w-60:y=(H-h)/2:"
                     f"enable='gte(t,{start})*lt(t,{end})'[v{number + 1}]")
    out = scratch / "set" / f"{clip.name}.mp4"
    ffmpeg(*inputs, "-filter_complex", ";".join(steps), "-map", f"[v{len(clip.codes)}]", "-map", "1:a",
           "-c:v", "libx264", "-preset", "superfast", "-crf", "23", "-pix_fmt", "yuv420p", "-g", "50",
           "-c:a", "aac", "-b:a", "128k", "-ar", "44100", "-t", f"{clip.seconds:.3f}", "-movflags", "+faststart", out)
    noted = {"duration": round(clip.seconds, 3), "expect": clip.labels}
    dumped = json.dumps(noted, ensure_ascii=False, indent=1) + "\n"
    labels_of(out).write_text(dumped, encoding="utf-8")


def background(scratch):
    """The films of the labelled clips, cut together once: longer than any clip that needs them."""
    out = scratch / "film.mp4"
    if not out.exists():
        seconds = max(drawn().seconds, 120) + 1
        silence = scratch / "silence.wav"
        voices.write(silence, voices.track(seconds, []))
        pictures.film(out, CACHE / "fixtures", scratch, seconds, [], silence)
    return out


def labels_of(clip):
    return clip.with_name(clip.name + ".labels.json")


def labels(clip):
    noted = json.loads(labels_of(clip).read_text(encoding="utf-8"))
    return [
        Planted((row["category"], *row["or"]), row["start"], row["end"], row["source"], note=row["note"])
        for row in noted["expect"]
    ]
