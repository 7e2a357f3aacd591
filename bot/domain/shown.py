"""Other people's words as they may be shown: nothing hides in them."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """Show control and direction characters as marks, so that nothing hides in what a person wrote."""
    return "".join(
        char
        if char in "\n\t\u200c\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs"}
        else f"⟨{ord(char):04X}⟩"
        for char in text
    )
