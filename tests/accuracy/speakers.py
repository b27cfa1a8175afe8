"""Many voices out of few: three free synthesisers, and their speech made faster, slower, higher and lower.

A word's time is measured as in the labelled clips of the tests, and moves with the tempo.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))

import pictures  # noqa: E402
import voices  # noqa: E402
from pictures import ffmpeg  # noqa: E402


@dataclass(frozen=True)
class Speaker:
    """`tempo` above 1 speaks faster, `pitch` above 1 higher."""

    engine: str
    voice: str = ""
    tempo: float = 1.0
    pitch: float = 1.0

    @property
    def name(self):
        changed = [f"{value:g}{sign}" for value, sign in ((self.tempo, "×"), (self.pitch, "↕")) if value != 1]
        return " ".join([self.engine, self.voice, *changed]).replace("  ", " ")


RUSSIAN = (
    Speaker("festival"),
    Speaker("festival", tempo=1.2),
    Speaker("festival", pitch=1.15),
    Speaker("festival", tempo=0.85, pitch=0.9),
    Speaker("espeak-ng", "ru"),
    Speaker("espeak-ng", "ru+f3", tempo=0.9),
)
ENGLISH = (
    Speaker("espeak-ng", "en-us"),
    Speaker("espeak-ng", "en-gb+f3", tempo=1.15),
    Speaker("flite", "slt"),
    Speaker("flite", "slt", tempo=1.25),
    Speaker("flite", "rms"),
    Speaker("flite", "awb", tempo=0.9),
)


def speak_all(lines, folder):
    """Utterances for (speaker, text), in their order."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    russian = [text for speaker, text in lines if speaker.engine == "festival"]
    # Festival takes seconds to start: one start for all of them.
    spoken = iter(voices.russian(russian, folder) if russian else ())
    utterances = []
    for number, (speaker, text) in enumerate(lines):
        plain = next(spoken) if speaker.engine == "festival" else measured(speaker, text, folder)
        utterances.append(changed(plain, speaker, folder / f"changed{number}"))
    return utterances


def measured(speaker, text, folder):
    """Speaks a sentence; a word ends where the sentence cut off behind it does."""
    parts = text.split()
    whole = say(speaker, text, folder)
    starts = voices.voiced(whole)[0]
    ends = [voices.voiced(say(speaker, " ".join(parts[:count]), folder))[1] for count in range(1, len(parts))]
    ends.append(voices.voiced(whole)[1])
    words = [(word, start, max(start, end)) for word, start, end in zip(parts, [starts, *ends[:-1]], ends)]
    return voices.Utterance(whole, words)


def say(speaker, text, folder):
    raw, out = folder / "raw.wav", folder / "16k.wav"
    if speaker.engine == "flite":
        command = ["flite", "-voice", speaker.voice, "-t", text, "-o", raw]
    else:
        command = ["espeak-ng", "-v", speaker.voice, "-s", "150", "-w", raw, text]
    subprocess.run(list(map(str, command)), check=True)
    voices.resample(raw, out)
    return voices.read(out)


def changed(utterance, speaker, scratch):
    """The same in another tempo and pitch."""
    if speaker.tempo == 1 and speaker.pitch == 1:
        return utterance
    before, after = Path(f"{scratch}.wav"), Path(f"{scratch}.out.wav")
    voices.write(before, utterance.samples)
    pitch = f"asetrate={round(voices.RATE * speaker.pitch)},aresample={voices.RATE}"
    ffmpeg("-i", before, "-af", f"{pitch},atempo={speaker.tempo / speaker.pitch:.4f}", "-ar", voices.RATE, after)
    words = [(word, start / speaker.tempo, end / speaker.tempo) for word, start, end in utterance.words]
    return voices.Utterance(voices.read(after), words)
