"""The classifier: the same model for the same examples, every intent ranked, nothing but numbers and text in its file."""

from __future__ import annotations

import unittest

from nlu.components import linear

WAGES = ["mazdoori nahi mili", "thekedar ne paisa nahi diya", "मज़दूरी नहीं मिली", "salary not paid for two months", "wage is pending since march"]
RATION = ["ration card dusre rajya me", "राशन कार्ड दूसरे राज्य में", "ration in another state", "anaj kahan milega card se", "can i use my ration card in delhi"]
GREET = ["namaste", "hello sir", "नमस्ते जी", "good morning", "ram ram bhai"]
TEXTS = [*WAGES, *RATION, *GREET]
INTENTS = ["wages_unpaid"] * 5 + ["ration_onorc"] * 5 + ["greet"] * 5


class Classifier(unittest.TestCase):
    """One small model for all of these."""

    model: linear.Model

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = linear.fit(TEXTS, INTENTS, {**linear.DEFAULTS, "min_df": 1})

    def test_every_intent_is_ranked_and_the_shares_are_one(self) -> None:
        (ranking,) = self.model.rank(["mujhe mazduri nai mili"])
        self.assertEqual(ranking[0]["name"], "wages_unpaid")
        self.assertEqual({item["name"] for item in ranking}, set(INTENTS))
        self.assertAlmostEqual(sum(item["confidence"] for item in ranking), 1.0, places=4)

    def test_a_script_it_never_saw_is_understood_by_its_sound(self) -> None:
        (ranking,) = self.model.rank(["রেশন কার্ড"])
        self.assertEqual(ranking[0]["name"], "ration_onorc")

    def test_the_file_gives_back_the_same_model(self) -> None:
        again = linear.loads(self.model.dumps())
        for text in [*TEXTS, "", "12345", "🙂"]:
            kept, back = self.model.rank([text])[0], again.rank([text])[0]
            self.assertEqual(kept[0]["name"], back[0]["name"])
            self.assertAlmostEqual(kept[0]["confidence"], back[0]["confidence"], places=2)

    def test_the_order_of_the_examples_does_not_matter(self) -> None:
        turned = linear.fit(TEXTS[::-1], INTENTS[::-1], {**linear.DEFAULTS, "min_df": 1})
        self.assertEqual(turned.dumps(), self.model.dumps())
