"""The language of a text: by script, then by the letters of its words; "unsure" is an answer."""

from __future__ import annotations

import unittest

from nlu.components import language

EXAMPLES = {
    "hi": ["मुझे मज़दूरी नहीं मिली", "मेरा राशन कार्ड कहाँ चलेगा", "मालिक ने कमरे में बंद कर दिया है", "यह एजेंट सही है क्या"],
    "mr": ["मला मजुरी मिळाली नाही", "माझं रेशन कार्ड कुठे चालेल", "मालकाने खोलीत कोंडून ठेवलं आहे", "हा एजंट खरा आहे का"],
    "en": ["my wage was not paid", "where can i use my card", "they locked us in a room", "is this agent real"],
    "hi-Latn": ["mujhe mazdoori nahi mili", "mera ration card kahan chalega", "malik ne kamre me band kar diya hai", "yeh agent sahi hai kya"],
}


class Language(unittest.TestCase):
    """One small model for all of these."""

    model: language.Languages

    @classmethod
    def setUpClass(cls) -> None:
        texts = [text for texts in EXAMPLES.values() for text in texts]
        locales = [locale for locale, texts in EXAMPLES.items() for _ in texts]
        cls.model = language.loads(language.fit(texts, locales, {**language.DEFAULTS, "sure": 0.6}).dumps())

    def test_words_tell_languages_of_one_script_apart(self) -> None:
        for text, locale in (("मला पैसे मिळाले नाही आहे", "mr"), ("मुझे पैसे नहीं दिया है", "hi"), ("malik ne card nahi diya hai", "hi-Latn")):
            self.assertEqual(self.model.guess(text)[0], locale, text)

    def test_a_script_of_one_language_needs_no_words(self) -> None:
        self.assertEqual(self.model.guess("வணக்கம்"), ("ta", 1.0))
        self.assertEqual(self.model.guess("سلام"), ("ur", 1.0))

    def test_it_may_be_unsure(self) -> None:
        for text in ("", "12345", "🙂", "ฤ", "12 34"):
            self.assertEqual(self.model.guess(text)[0], "", text)
