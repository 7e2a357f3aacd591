"""The language of somebody who has not chosen one: by script, by everyday words, or unsure."""

from __future__ import annotations

import pytest

from bot.content.model import Content
from bot.dialogue.language import guess


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("मुझे राशन कार्ड चाहिए", "hi"),
        ("mujhe ration card chahiye", "hi-Latn"),
        ("where can i get a ration card", "en"),
        ("என் மகளைக் காணவில்லை", "ta"),
        ("میری بیٹی لاپتہ ہے", "ur"),
        ("", ""),
        ("12345 🙂", ""),
        ("xyz", ""),
    ],
)
def test_a_guess_before_the_choice(content: Content, text: str, locale: str) -> None:
    assert guess(text, content) == locale
