"""`python3 -m unittest discover -s tests/accuracy`"""

import unittest

import score
import texts
from score import Found, Planted, Tally, between, compare, tally


def planted(category, start, end, **more):
    return Planted(tuple(category.split("|")), start, end, **more)


class Comparing(unittest.TestCase):
    def test_a_thing_of_the_same_category_within_half_a_second_is_found(self):
        outcome = compare([planted("alcohol", 10.0, 11.0)], [Found("alcohol", 11.4, 12.0)])
        self.assertEqual((len(outcome.pairs), outcome.missed, outcome.invented), (1, [], []))

    def test_later_than_that_is_a_miss_and_an_invention(self):
        outcome = compare([planted("alcohol", 10.0, 11.0)], [Found("alcohol", 11.6, 12.0)])
        self.assertEqual((len(outcome.missed), len(outcome.invented)), (1, 1))

    def test_another_category_is_a_miss_and_an_invention(self):
        outcome = compare([planted("alcohol", 10.0, 11.0)], [Found("drugs", 10.0, 11.0)])
        self.assertEqual((len(outcome.pairs), len(outcome.missed), len(outcome.invented)), (0, 1, 1))

    def test_sources_are_told_apart_where_the_label_names_one(self):
        spoken = planted("alcohol", 1, 2, source="speech")
        self.assertEqual(len(compare([spoken], [Found("alcohol", 1, 2, source="text")]).pairs), 0)
        self.assertEqual(len(compare([planted("alcohol", 1, 2)], [Found("alcohol", 1, 2, source="text")]).pairs), 1)

    def test_one_finding_is_not_two(self):
        two = [planted("alcohol", 1, 2), planted("alcohol", 2, 3)]
        outcome = compare(two, [Found("alcohol", 1, 3)])
        self.assertEqual((len(outcome.pairs), len(outcome.missed)), (1, 1))

    def test_as_many_pairs_as_possible_are_made(self):
        # The first may take either finding and prefers the one that the second needs.
        two = [planted("a", 0.0, 1.0), planted("a", 0.9, 0.95)]
        found = [Found("a", 0.0, 1.5), Found("a", -0.9, 0.2)]
        self.assertEqual(len(compare(two, found, tolerance=0).pairs), 2)

    def test_a_second_finding_of_one_thing_is_a_double(self):
        outcome = compare([planted("a", 1, 2)], [Found("a", 1, 2), Found("a", 1.5, 2)])
        self.assertEqual((len(outcome.pairs), len(outcome.doubles), outcome.invented), (1, 1, []))

    def test_any_of_several_categories_is_right(self):
        outcome = compare([planted("profanity|insult", 0, 5)], [Found("insult", 0, 5)])
        self.assertEqual((len(outcome.pairs), outcome.invented), (1, []))

    def test_what_is_optional_is_neither_missed_nor_invented(self):
        maybe = [planted("alcohol", 0, 5, optional=True)]
        self.assertEqual(compare(maybe, []).missed, [])
        outcome = compare(maybe, [Found("alcohol", 0, 5)])
        self.assertEqual((outcome.pairs, outcome.invented), ([], []))

    def test_what_is_optional_takes_nothing_away(self):
        things = [planted("a", 0, 5, optional=True), planted("a", 0, 5)]
        self.assertEqual(compare(things, [Found("a", 0, 5)]).missed, [])


class Counting(unittest.TestCase):
    def test_precision_recall_and_f1(self):
        row = Tally(hits=8, missed=2, invented=2)
        self.assertEqual((row.precision, row.recall, row.f1), (0.8, 0.8, 0.8))

    def test_nothing_planted_and_nothing_found_is_no_figure(self):
        self.assertEqual((Tally().precision, Tally().recall, Tally().f1), (None, None, None))
        self.assertEqual(score.percent(None), "–")

    def test_rows_are_of_the_planted_category_and_inventions_of_the_found_one(self):
        outcome = compare([planted("alcohol", 1, 2)], [Found("alcohol", 1.25, 2), Found("drugs", 9, 9.5)])
        rows = tally([outcome], key=lambda thing: thing.category)
        self.assertEqual((rows["alcohol"].hits, rows["drugs"].invented), (1, 1))
        self.assertEqual((rows["alcohol"].median_error, rows["alcohol"].worst_error), (0.125, 0.25))

    def test_doubles_count_where_they_are_asked_for(self):
        outcome = compare([planted("a", 1, 2)], [Found("a", 1, 2), Found("a", 1.5, 2)])
        self.assertEqual(tally([outcome], lambda thing: thing.category)["a"].invented, 0)
        self.assertEqual(tally([outcome], lambda thing: thing.category, doubles_are_wrong=True)["a"].invented, 1)


class Writing(unittest.TestCase):
    def test_a_table_is_markdown(self):
        self.assertEqual(score.table(["a", "b"], [["x", 1]]), "| a | b |\n| :-- | --: |\n| x | 1 |")

    def test_only_what_stands_between_the_markers_changes(self):
        text = "before\n<!-- n -->\nold\n<!-- /n -->\nafter\n"
        self.assertEqual(between(text, "n", "new"), "before\n<!-- n -->\nnew\n<!-- /n -->\nafter\n")
        self.assertEqual(between(between(text, "n", "new"), "n", "new"), between(text, "n", "new"))

    def test_a_text_without_markers_is_refused(self):
        for text in ("", "<!-- n -->", "<!-- /n --><!-- n -->", "<!-- n --><!-- n --><!-- /n -->"):
            with self.assertRaises(ValueError):
                between(text, "n", "new")


class Reading(unittest.TestCase):
    def test_marks_are_taken_out_and_remembered(self):
        sentence = texts.marked("f:1", "Он {strong:х*й} и {?profanity|insult:гад}.")
        self.assertEqual(sentence.said, "Он х*й и гад.")
        first, second = sentence.planted
        self.assertEqual((first.categories, sentence.said[first.start : first.end]), (("profanity",), "х*й"))
        self.assertEqual((second.categories, second.optional), (("profanity", "insult"), True))

    def test_a_broken_mark_is_refused(self):
        with self.assertRaises(ValueError):
            texts.marked("f:1", "Он {strong х.")
        with self.assertRaises(ValueError):
            texts.advert("f:1", "hardly: buy")

    def test_every_sentence_reads_and_both_halves_are_large(self):
        every = texts.sentences()
        held = sum(sentence.held_out for sentence in every)
        self.assertGreater(len(every), 2000)
        self.assertTrue(0.4 < held / sum(not sentence.seen for sentence in every) < 0.6, held)
        self.assertGreater(sum(not sentence.planted for sentence in every), 600)

    def test_what_was_thought_of_while_mending_is_held_out_no_more(self):
        lines = [f"{number} {{alcohol:вино}}" for number in range(20)]
        held = [texts.marked("f:1", line).held_out for line in lines]
        self.assertTrue(any(held) and not all(held))
        self.assertFalse(any(texts.marked("f:1", f"+ {line}").held_out for line in lines))
        self.assertEqual(texts.marked("f:1", "+ a {alcohol:b}").said, "a b")

    def test_no_sentence_stands_twice(self):
        every = [(sentence.said, sentence.shown) for sentence in texts.sentences()]
        self.assertEqual(len(every), len(set(every)))

    def test_only_what_fails_the_video_is_obscene(self):
        sentence = texts.marked("f:1", "{strong:aa} {mild:bb} {profanity:cc}")
        fail = [(Found("profanity", 0, 2), "fail"), (Found("profanity", 3, 5), "fail")]
        outcome = texts.compare_obscene(sentence, fail)
        self.assertEqual((len(outcome.pairs), len(outcome.invented)), (1, 1))
        review = [(Found("profanity", 0, 2), "review"), (Found("profanity", 6, 8), "fail")]
        outcome = texts.compare_obscene(sentence, review)
        self.assertEqual((len(outcome.missed), outcome.invented), (1, []))

    def test_an_advertisement_is_looked_at_for_nothing_else_and_found_in_any_sentence(self):
        advert, other = texts.advert("adverts.txt:1", "none: Acme"), texts.marked("brands.txt:1", "Acme")
        brand, unmarked = (Found("brand", 0, 4), "review"), (Found("advertising-unmarked", 0, 4), "review")
        self.assertEqual(len(texts.compare(advert, [brand, unmarked]).invented), 1)
        self.assertEqual(len(texts.compare(other, [brand, unmarked]).invented), 2)

    def test_the_place_of_a_finding_is_that_of_its_part(self):
        sentence = texts.advert("adverts.txt:1", "unmarked: said // shown")
        one = {"task": "text", "start": 0, "end": 5, "category": "advertising", "code": "ad_unmarked", "entry": "e",
               "verdict": "review"}
        found, _ = texts.finding(sentence, one)
        self.assertEqual((found.category, found.start, found.end), ("advertising-unmarked", 5, 10))

    def test_degrees_of_advertising_are_told_by_their_code(self):
        codes = {"ad_unmarked": "advertising-unmarked", "ad_partly_marked": "advertising-unmarked",
                 "ad_marked": "advertising-marked", "reklama": "advertising"}
        self.assertEqual({code: texts.named("advertising", code) for code in codes}, codes)


if __name__ == "__main__":
    unittest.main()
