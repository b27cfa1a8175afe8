"""`python3 -m unittest discover -s tests/accuracy`"""

import array
import json
import tempfile
import unittest
from pathlib import Path

import cards
import media
import planted
import texts
from speakers import ENGLISH, RUSSIAN, voices


class Cards(unittest.TestCase):
    def test_every_style_is_shown_for_every_length_and_innocent_texts_are_among_them(self):
        clip = media.drawn()
        rows = {(style, round(end - start, 3)) for start, end, style, _ in clip.shown}
        self.assertEqual(rows, {(style, length) for style in cards.STYLES for length in media.LENGTHS})
        for length in media.LENGTHS:
            noted = sum(f", {length:g} s" in label["note"] for label in clip.labels)
            self.assertTrue(10 < noted < 2 * len(cards.STYLES), f"{length}: {noted}")

    def test_hits_of_one_category_are_further_apart_than_the_policy_merges(self):
        for category in ("profanity", "alcohol", "drugs"):
            places = [(row["start"], row["end"]) for row in media.drawn().labels if row["category"] == category]
            for (_, end), (start, _) in zip(places, places[1:]):
                self.assertGreater(start - end, 1.2)

    def test_a_masked_word_is_told_from_a_plain_one(self):
        masked = {label["words"] for label in media.drawn().labels if label["note"].endswith(" masked")}
        self.assertIn("бл@дь", masked)
        self.assertNotIn("ПИЗДЕЦ", masked)

    def test_a_moving_text_starts_where_its_card_does(self):
        with tempfile.TemporaryDirectory() as folder:
            drawn = cards.filters([(7.5, 8.0, "moving", "20% off")], Path(folder))
            self.assertIn("sin(2*(t-7.500))", drawn[1])
            self.assertIn("expansion=none", drawn[1])
            self.assertEqual(Path(folder, "card0.txt").read_text(encoding="utf-8"), "20% off")


class Speech(unittest.TestCase):
    def test_a_marked_word_is_labelled_at_its_own_time(self):
        samples = array.array("h", bytes(2 * 3 * voices.RATE))
        utterance = voices.Utterance(samples, [("Он", 0.1, 0.3), ("выпил", 0.3, 0.8), ("водку", 0.8, 1.4)])
        clip = media.Clip("c", seconds=10.0)
        clip.say(texts.marked("f:1", "Он выпил {alcohol:водку}."), RUSSIAN[0], utterance)
        label = clip.labels[0]
        self.assertEqual((label["category"], label["source"]), ("alcohol", "speech"))
        self.assertEqual((label["start"], label["end"]), (10.8, 11.4))
        self.assertAlmostEqual(clip.seconds, 13.0 + media.PAUSE_SPEECH)

    def test_a_word_that_is_not_said_is_an_error(self):
        utterance = voices.Utterance(array.array("h"), [("Он", 0.1, 0.3)])
        with self.assertRaises(ValueError):
            media.place("Он выпил", "водку", utterance)

    def test_voices_differ(self):
        for cast in (RUSSIAN, ENGLISH):
            self.assertEqual(len({speaker.name for speaker in cast}), len(cast))


class Planted(unittest.TestCase):
    def test_everything_written_for_the_clips_reads(self):
        for written in (planted.RUSSIAN, planted.ENGLISH, planted.CARDS):
            sentences = media.read(written)
            self.assertTrue(any(sentence.planted for sentence in sentences))
            self.assertTrue(any(not sentence.planted for sentence in sentences))
        self.assertLessEqual({row[0] for row in planted.ADVERTS}, {*texts.DEGREES, "none"})

    def test_labels_are_read_as_they_were_written(self):
        with tempfile.TemporaryDirectory() as folder:
            clip = media.Clip("c")
            clip.label(("profanity", "insult"), 1.0, 2.0, "speech", "гад", "festival")
            path = Path(folder, "c.mp4")
            media.labels_of(path).write_text(json.dumps({"expect": clip.labels}), encoding="utf-8")
            label = media.labels(path)[0]
            self.assertEqual((label.categories, label.start, label.source), (("profanity", "insult"), 1.0, "speech"))


if __name__ == "__main__":
    unittest.main()
