"""Writes made-up names: in Latin letters as registered, in the scripts of thirteen languages, with all kinds of noise."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

from bot.trial.names import MadeUp, Sounds

#: Language → first code point of its block; Urdu has no such block.
SCRIPTS: Final = {
    "hi": 0x0900, "mr": 0x0900, "ne": 0x0900, "bn": 0x0980, "as": 0x0980, "pa": 0x0A00, "gu": 0x0A80, "or": 0x0B00,
    "ta": 0x0B80, "te": 0x0C00, "kn": 0x0C80, "ml": 0x0D00, "ur": 0x0600,
}  # fmt: skip
_LETTER: Final = {
    "k": 0x15, "kh": 0x16, "g": 0x17, "gh": 0x18, "ch": 0x1A, "j": 0x1C, "jh": 0x1D, "t": 0x24, "th": 0x25, "d": 0x26,
    "dh": 0x27, "n": 0x28, "p": 0x2A, "ph": 0x2B, "b": 0x2C, "bh": 0x2D, "m": 0x2E, "y": 0x2F, "r": 0x30, "l": 0x32,
    "v": 0x35, "sh": 0x36, "s": 0x38, "h": 0x39,
}  # fmt: skip
_SIGN: Final = {
    "a": 0, "aa": 0x3E, "i": 0x3F, "ii": 0x40, "u": 0x41, "uu": 0x42, "e": 0x47, "ai": 0x48, "o": 0x4B, "au": 0x4C,
}  # fmt: skip
_ALONE: Final = {
    "a": 0x05, "aa": 0x06, "i": 0x07, "ii": 0x08, "u": 0x09, "uu": 0x0A, "e": 0x0F, "ai": 0x10, "o": 0x13, "au": 0x14,
}  # fmt: skip
_VIRAMA: Final = 0x4D
#: Bengali and Odia say their letter ya as j; what is said as y has a letter of its own.
_DOTTED_Y: Final = {0x0980: "\u09df", 0x0B00: "\u0b5f"}
#: What a script has no letter for, or says otherwise.
_INSTEAD: Final[dict[str, dict[str, str]]] = {
    "ta": {
        "kh": "k", "g": "k", "gh": "k", "jh": "j", "th": "t", "d": "t", "dh": "t", "ph": "p", "b": "p", "bh": "p", "sh": "s",
    },
    "bn": {"v": "bh"}, "as": {"v": "bh"}, "or": {"v": "b"},
}  # fmt: skip
#: Here a closing consonant is written bare; in the others it carries the sign that takes its vowel away.
_BARE_CODAS: Final = frozenset({"hi", "mr", "ne", "pa", "gu", "bn", "as"})
_URDU: Final = {
    "k": "ک", "kh": "کھ", "g": "گ", "gh": "گھ", "ch": "چ", "j": "ج", "jh": "جھ", "t": "ت", "th": "تھ", "d": "د",
    "dh": "دھ", "n": "ن", "p": "پ", "ph": "پھ", "b": "ب", "bh": "بھ", "m": "م", "y": "ی", "r": "ر", "l": "ل", "v": "و",
    "sh": "ش", "s": "س", "h": "ہ",
}  # fmt: skip
_URDU_VOWELS: Final = {
    "a": "", "aa": "ا", "i": "", "ii": "ی", "u": "", "uu": "و", "e": "ے", "ai": "ی", "o": "و", "au": "و",
}  # fmt: skip
_LATIN: Final = {"aa": "a", "ii": "i", "uu": "u"}
#: Ways in which people spell one sound; the first is the plain one.
_CHAT: Final = {
    "aa": ("a", "aa"), "ii": ("i", "ee"), "uu": ("u", "oo"), "v": ("v", "w"), "ph": ("ph", "f"), "sh": ("sh", "s"),
    "ai": ("ai", "ay"), "au": ("au", "ou"), "kh": ("kh", "k"), "th": ("th", "t"), "dh": ("dh", "d"), "j": ("j", "z"),
    "bh": ("bh", "b"), "gh": ("gh", "g"), "jh": ("jh", "j"), "ch": ("ch", "c"),
}  # fmt: skip
_MISREAD: Final = (
    ("l", "1"), ("o", "0"), ("i", "l"), ("m", "rn"), ("s", "5"), ("b", "6"), ("e", "c"), ("h", "n"), ("u", "v"), ("a", "o"), ("t", "f"),
)  # fmt: skip

Spellings = Mapping[str, Mapping[str, Sequence[str]]]


def registered(name: MadeUp, chance: random.Random, spellings: Spellings) -> str:
    """Return a name as it stands on a list: one spelling of each sound, full fillers."""
    words = [_initials(word) if _is_initials(word) else _latin(word, chance, 0.15).title() for word in name.words]
    fillers = [spellings["en"][what][0] for what in (*name.trade, *name.legal)]
    return " ".join([*words, *(word.title() for word in fillers)])


def in_script(name: MadeUp, language: str, chance: random.Random, spellings: Spellings) -> str:
    """Return a name as somebody who writes *language* may write it; the legal form is often left out."""
    words = [
        _letters(word, language, chance, spellings) if _is_initials(word) else _native(word, language)
        for word in name.words
    ]
    legal = name.legal if chance.random() < 0.5 else ()  # noqa: PLR2004 - one in two
    fillers = [chance.choice(spellings[language][what]) for what in (*name.trade, *legal)]
    return " ".join([*words, *fillers])


def one_edit(written: str, chance: random.Random) -> str:
    """Return *written* with one letter changed, lost, doubled, added or swapped with the next."""
    at = chance.choice([at for at, char in enumerate(written) if char.isalpha()])
    extra = chance.choice("abcdefghiklmnoprstuvy")
    return chance.choice(
        (
            written[:at] + extra + written[at + 1 :],
            written[:at] + written[at + 1 :],
            written[:at] + written[at] + written[at:],
            written[:at] + extra + written[at:],
            written[:at] + written[at + 1 : at + 2] + written[at] + written[at + 2 :],
        )
    )


def sounded(name: MadeUp, chance: random.Random, spellings: Spellings) -> str:
    """Return a name as spelt in a chat: any spelling of each sound, small letters, fillers shortened or left out."""
    words = ["".join(word).lower() if _is_initials(word) else _latin(word, chance, 0.4) for word in name.words]
    fillers = [chance.choice(spellings["en"][what]) for what in name.trade]
    return " ".join([*words, *fillers])


def dropped(written: str, chance: random.Random) -> str:
    """Return *written* without one of its words after the first."""
    words = written.split()
    if len(words) > 2:  # noqa: PLR2004 - something must be left to know it by
        del words[chance.randrange(2, len(words))]
    return " ".join(words)


def swapped(written: str, chance: random.Random) -> str:
    """Return *written* with two neighbouring words in the other order."""
    words = written.split()
    if len(words) > 1:
        at = chance.randrange(len(words) - 1)
        words[at : at + 2] = words[at + 1], words[at]
    return " ".join(words)


def misread(written: str, chance: random.Random) -> str:
    """Return *written* as a machine may read it from a bad photo: up to two letters taken for others."""
    low = written.lower()
    for wrong, right in chance.sample(_MISREAD, 2):
        low = low.replace(wrong, right, 1)
    return low


def _is_initials(word: Sounds) -> bool:
    return word[0].isupper()


def _initials(word: Sounds) -> str:
    return " ".join(f"{letter}." for letter in word)


def _latin(word: Sounds, chance: random.Random, sloppy: float) -> str:
    """Return a word in Latin letters; *sloppy*: how often a sound has one of its other spellings."""
    return "".join(
        chance.choice(_CHAT[sound]) if sound in _CHAT and chance.random() < sloppy else _LATIN.get(sound, sound)
        for sound in word
    )


def _letters(word: Sounds, language: str, chance: random.Random, spellings: Spellings) -> str:
    return " ".join(chance.choice(spellings[f"{language}:letters"][letter.lower()]) for letter in word)


def _native(word: Sounds, language: str) -> str:
    if language == "ur":
        return _in_urdu(word)
    base, instead = SCRIPTS[language], _INSTEAD.get(language, {})
    written: list[str] = []
    open_consonant = False
    for at, heard in enumerate(word):
        sound = instead.get(heard, heard)
        if sound == "ng":
            written.append(chr(base + (0x02 if language != "ta" else 0x19)))
            sound, open_consonant = "g" if language != "ta" else "k", False
            if language == "ta":
                written.append(chr(base + _VIRAMA))
        if sound in _LETTER:
            if open_consonant and not _bare(word, at, language):
                written.append(chr(base + _VIRAMA))
            written.append(chr(base + _LETTER[sound]) if sound != "y" or base not in _DOTTED_Y else _DOTTED_Y[base])
            open_consonant = True
        elif open_consonant:
            if _SIGN[sound]:
                written.append(chr(base + _SIGN[sound]))
            open_consonant = False
        else:
            written.append(chr(base + _ALONE[sound]))
    if open_consonant and language not in _BARE_CODAS and language != "or":
        written.append(chr(base + _VIRAMA))
    return "".join(written)


def _bare(word: Sounds, at: int, language: str) -> bool:
    """Say whether the consonant before *at*, which closes a syllable, stands bare: never in a cluster such as "kr"."""
    joined = word[at] in {"r", "y", "v"} or (word[at - 1], word[at]) in {("k", "sh"), ("s", "t"), ("s", "k")}
    return language in _BARE_CODAS and not joined


def _in_urdu(word: Sounds) -> str:
    written = []
    for at, sound in enumerate(word):
        if sound == "ng":
            written.append("نگ")
        elif sound in _URDU:
            written.append(_URDU[sound])
        elif at == 0:
            written.append("آ" if sound == "aa" else f"ا{_URDU_VOWELS[sound]}".replace("ے", "ی"))
        else:
            last = at == len(word) - 1
            vowel = _URDU_VOWELS[sound] if sound != "a" or not last else "ہ"
            written.append(vowel if last else vowel.replace("ے", "ی"))
    return "".join(written)
