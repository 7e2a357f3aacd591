"""Values in a message: in the digits of every script, with offsets into the raw text."""

from __future__ import annotations

import unittest

from nlu.components.lexicon import read
from nlu.components.values import Values

CASES = {
    "agent ka number 98765 43210 hai": [("phone", "98765 43210")],
    "फोन ९८७६५४३२१० पर बात हुई": [("phone", "9876543210")],
    "licence B-1234/MUM/PER/1000+/5/5678/2020 dikhaya": [("licence", "B-1234/MUM/PER/1000+/5/5678/2020")],
    "उसने 80 हज़ार रुपये लिए": [("amount", "80 हज़ार रुपये")],
    "meri beti 15 saal ki hai": [("relation", "beti"), ("age", "15 saal")],
    "my brother went to Mumbai on 12/03/2026": [("relation", "brother"), ("place", "Mumbai"), ("date", "12/03/2026")],
    "शर्मा ट्रैवल्स सही है क्या": [("agency", "शर्मा ट्रैवल्स")],
    "mera naam Sunita hai": [("person", "Sunita")],
    "agent le gaya": [],
    "rsvp 5": [],
}


class Found(unittest.TestCase):
    """Each case, and the offsets."""

    def test_each_case(self) -> None:
        values = Values(read())
        for text, wanted in CASES.items():
            found = values.entities(text)
            kept = {"phone", "licence", "amount", "age", "relation", "place", "date", "agency", "person"}
            self.assertEqual([(item["entity"], item["value"]) for item in found if item["entity"] in kept], wanted, text)
            for item in found:
                self.assertEqual(item["end"] - item["start"], len(item["value"]), text)

    def test_a_long_text_is_read_in_linear_time(self) -> None:
        values = Values(read())
        self.assertEqual(values.entities("9" * 100_000), values.entities("9" * 4000))
