"""The shared normal form of what people write: every Indian script, Urdu and Latin letters brought to one folded form.

Used by the danger check, by commands, by the recruiter search and, from the NLU's own environment (Python 3.10), by its
tokenizer and classifier. Standard library only, linear in the text, nothing cached without a bound, nothing logged.
The Brahmi-derived blocks of Unicode share one order (that of ISCII), so one table of offsets serves nine scripts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MOST_CACHED: Final = 20_000

#: First code point of each Brahmi-derived block → ISO 15924 code.
BLOCKS: Final = {
    0x0900: "Deva",
    0x0980: "Beng",
    0x0A00: "Guru",
    0x0A80: "Gujr",
    0x0B00: "Orya",
    0x0B80: "Taml",
    0x0C00: "Telu",
    0x0C80: "Knda",
    0x0D00: "Mlym",
}
_BLOCK_SIZE: Final = 0x80
_VIRAMA: Final = 0x4D
_NUKTA: Final = 0x3C
#: Offsets in a block → independent vowels, vowel signs, consonants, other signs.
_VOWELS: Final = {
    0x05: "a", 0x06: "aa", 0x07: "i", 0x08: "ii", 0x09: "u", 0x0A: "uu", 0x0B: "ri", 0x0C: "li", 0x0D: "e", 0x0E: "e",
    0x0F: "e", 0x10: "ai", 0x11: "o", 0x12: "o", 0x13: "o", 0x14: "au", 0x60: "ri", 0x72: "e", 0x04: "e",
}  # fmt: skip
_SIGNS: Final = {
    0x3E: "aa", 0x3F: "i", 0x40: "ii", 0x41: "u", 0x42: "uu", 0x43: "ri", 0x44: "ri", 0x45: "e", 0x46: "e", 0x47: "e",
    0x48: "ai", 0x49: "o", 0x4A: "o", 0x4B: "o", 0x4C: "au", 0x57: "au", 0x56: "ai", 0x62: "li",
}  # fmt: skip
_CONSONANTS: Final = {
    0x15: "k", 0x16: "kh", 0x17: "g", 0x18: "gh", 0x19: "n", 0x1A: "ch", 0x1B: "chh", 0x1C: "j", 0x1D: "jh", 0x1E: "n",
    0x1F: "t", 0x20: "th", 0x21: "d", 0x22: "dh", 0x23: "n", 0x24: "t", 0x25: "th", 0x26: "d", 0x27: "dh", 0x28: "n",
    0x29: "n", 0x2A: "p", 0x2B: "ph", 0x2C: "b", 0x2D: "bh", 0x2E: "m", 0x2F: "y", 0x30: "r", 0x31: "r", 0x32: "l",
    0x33: "l", 0x34: "l", 0x35: "v", 0x36: "sh", 0x37: "sh", 0x38: "s", 0x39: "h", 0x58: "k", 0x59: "kh", 0x5A: "g",
    0x5B: "z", 0x5C: "r", 0x5D: "rh", 0x5E: "f", 0x5F: "y",
}  # fmt: skip
_MARKS: Final = {0x01: "n", 0x02: "n", 0x03: "h", 0x70: "n", 0x71: ""}
#: Letters outside the shared order: Assamese ra and va, Malayalam chillus, khanda ta.
_EXTRA: Final = {
    "\u09f0": "r", "\u09f1": "v", "\u09ce": "t", "\u0d7a": "n", "\u0d7b": "n", "\u0d7c": "r", "\u0d7d": "l",
    "\u0d7e": "l", "\u0d7f": "k",
}  # fmt: skip
_ARABIC: Final = {
    "ا": "a", "آ": "aa", "أ": "a", "إ": "i", "ب": "b", "پ": "p", "ت": "t", "ٹ": "t", "ث": "s", "ج": "j", "چ": "ch",
    "ح": "h", "خ": "kh", "د": "d", "ڈ": "d", "ذ": "z", "ر": "r", "ڑ": "r", "ز": "z", "ژ": "z", "س": "s", "ش": "sh",
    "ص": "s", "ض": "z", "ط": "t", "ظ": "z", "ع": "a", "غ": "g", "ف": "f", "ق": "k", "ک": "k", "ك": "k", "گ": "g",
    "ل": "l", "م": "m", "ن": "n", "ں": "n", "و": "o", "ؤ": "o", "ہ": "h", "ه": "h", "ھ": "h", "ۃ": "h", "ی": "i",
    "ي": "i", "ئ": "", "ء": "", "ے": "e", "ى": "a", "َ": "a", "ِ": "i", "ُ": "u", "ّ": "", "ْ": "", "ٰ": "a",
}  # fmt: skip
#: Sounds of a letter that one script has for itself: (block, offset) → Latin. Bengali ya is said ja.
_OWN: Final = {("Beng", 0x2F): "j", ("Taml", 0x1A): "s", ("Taml", 0x34): "zh", ("Mlym", 0x34): "zh"}
#: Here a dot makes a letter of its own (rra, rha, ya); elsewhere people leave it out, so it goes.
_DOTTED_SCRIPTS: Final = frozenset({"Beng", "Orya"})
_DOTTED: Final = {"d": "r", "dh": "rh", "j": "y", "y": "y"}
#: Scripts whose inherent vowel is spoken wherever it is written.
_SPOKEN_SCHWA: Final = frozenset({"Telu", "Knda", "Mlym", "Taml"})
#: Tamil writes one letter for two sounds: voiced between vowels and after a nasal.
_VOICED: Final = {"k": "g", "t": "d", "p": "b"}
_TAMIL_NASALS: Final = frozenset("ஙஞணநனம")
_TAMIL_VOICED: Final = frozenset("கடப")
_TAMIL_VIRAMA: Final = "\u0bcd"
_DROPPED: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
#: Chat spellings that say the same sound, applied in order.
_FOLDS: Final = (
    ("tth", "t"), ("chh", "c"), ("cch", "c"), ("ksh", "ks"), ("sh", "s"), ("ch", "c"), ("ph", "f"), ("kh", "k"),
    ("gh", "g"), ("jh", "j"), ("th", "t"), ("dh", "d"), ("bh", "b"), ("rh", "r"), ("ck", "k"), ("q", "k"), ("w", "v"),
    ("z", "j"), ("x", "ks"), ("aa", "a"), ("ee", "i"), ("ii", "i"), ("oo", "u"), ("uu", "u"), ("ey", "e"), ("ay", "ai"),
    ("ae", "ai"), ("y", "i"),
)  # fmt: skip
#: The same for plain ASCII, where most of a long list of names is.
_NO_CONTROLS: Final = {code: None for code in (*range(32), 127) if not chr(code).isspace()}
_APOSTROPHE: Final = re.compile(r"(?<=[A-Za-z0-9])'+(?=\S)")
_DRAWN: Final = re.compile(r"([A-Za-z])\1{2,}")
_ONCE: Final = r"\1"
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_SHORT: Final = 3
_SCHWA: Final = "\x01"
_VOWEL_LETTERS: Final = frozenset("aeiou\x01")
_ENDINGS: Final = (("ein", "e"), ("ain", "ai"), ("hin", "hi"))
_NASAL_ENDINGS: Final = ("n", "m")


def normalise(text: str) -> str:
    """Return *text* in one written form: full-width forms, nukta, joiners, control characters, digits, case, spaces."""
    if text.isascii():
        return " ".join(text.translate(_NO_CONTROLS).lower().split())
    return normalise_any(text)


def normalise_any(text: str) -> str:
    """Do what `normalise` does, letter by letter."""
    kept = []
    for char in unicodedata.normalize("NFKD", text):
        category = unicodedata.category(char)
        if category in _DROPPED or (category == "Mn" and _is_dot(char) and _block(char) not in _DOTTED_SCRIPTS):
            continue
        if category == "Cc" and not char.isspace():
            continue
        digit = unicodedata.digit(char, None)
        kept.append(char if digit is None else str(digit))
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).casefold().split())


def tokens(text: str) -> list[str]:
    """Return the words of a normalised text: runs of letters, marks and numbers; a letter drawn out (3+) stands once.

    Never by the word class of regular expressions: Python's `re` leaves Indian vowel signs out of it. An apostrophe
    inside a word is dropped.
    """
    if text.isascii():
        return _WORDS.findall(_DRAWN.sub(_ONCE, _APOSTROPHE.sub("", text)))
    return tokens_any(text)


def tokens_any(text: str) -> list[str]:
    """Do what `tokens` does, letter by letter."""
    found: list[str] = []
    word: list[str] = []
    drawn = False
    text = _joined(text)
    for at, char in enumerate(text):
        if unicodedata.category(char)[0] in "LMN":
            if not char.isdigit() and word and word[-1] == char and (drawn or text[at + 1 : at + 2] == char):
                drawn = True
                continue
            drawn = False
            word.append(char)
        elif word:
            found.append("".join(word))
            word = []
    return [*found, "".join(word)] if word else found


def _joined(text: str) -> str:
    """Drop the apostrophes inside words, so that what stands on both sides of one is a neighbour."""
    kept: list[str] = []
    for at, char in enumerate(text):
        inside = bool(kept) and unicodedata.category(kept[-1])[0] in "LMN" and text[at + 1 : at + 2].strip()
        if not (char in "'\u2019" and inside):
            kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=MOST_CACHED)
def romanise(token: str) -> str:
    """Return the Latin form of one word of any Indian script or Urdu; Latin words come back with accents removed."""
    if token.isascii():
        return token
    sounds: list[str] = []
    pending = False
    for at, char in enumerate(token):
        piece, kind = _letter(char)
        if kind == "dot":
            sounds[-1:] = [_DOTTED.get(sounds[-1], sounds[-1])] if sounds else []
            continue
        if pending and kind not in {"sign", "virama"}:
            sounds.append(_SCHWA)
        pending = kind == "consonant"
        sounds.append(_VOICED[piece] if char in _TAMIL_VOICED and _voiced(token, at) else piece)
    if _block(token[-1]) in _SPOKEN_SCHWA:
        return "".join("a" if sound == _SCHWA else sound for sound in [*sounds, _SCHWA * pending])
    if len(sounds) > 1 and _letter(token[-1])[1] == "nasal":
        sounds.pop()
    return "".join(_without_schwas([sound for sound in sounds if sound]))


def _voiced(token: str, at: int) -> bool:
    """Return whether the Tamil stop at *at* stands between vowels or after a nasal."""
    before = token[at - 1 : at]
    if not before or token[at + 1 : at + 2] == _TAMIL_VIRAMA:
        return False
    return before != _TAMIL_VIRAMA or token[at - 2 : at - 1] in _TAMIL_NASALS


def _without_schwas(sounds: list[str]) -> list[str]:
    """Drop the inherent vowel where speech does: between vowel + consonant and consonant + vowel, from the right."""
    for at in range(len(sounds) - 3, 1, -1):
        if sounds[at] != _SCHWA or not _is_vowel(sounds[at - 2]) or _is_vowel(sounds[at - 1]):
            continue
        if not _is_vowel(sounds[at + 1]) and _is_vowel(sounds[at + 2]):
            sounds[at] = ""
    return ["a" if sound == _SCHWA else sound for sound in sounds]


def _is_vowel(sound: str) -> bool:
    return sound[:1] in _VOWEL_LETTERS


def fold(latin: str) -> str:
    """Return the form in which chat spellings of one sound agree: `shaadi`, `shadi` and romanised शादी are one."""
    for ending, shorter in _ENDINGS:
        latin = latin.removesuffix(ending) + shorter if latin.endswith(ending) else latin
    for spelling, folded in _FOLDS:
        latin = latin.replace(spelling, folded)
    squeezed = "".join(char for at, char in enumerate(latin) if at == 0 or char != latin[at - 1])
    if len(squeezed) > _SHORT + 1 and squeezed.endswith("h"):
        squeezed = squeezed[:-1]
    return squeezed


def skeleton(folded: str) -> str:
    """Return the consonants of a folded word, its first letter kept; short words stay whole, nasal endings go."""
    if len(folded) <= _SHORT:
        return folded
    bare = folded[:-1] if folded.endswith(_NASAL_ENDINGS) and folded[-2] in "aeiou" else folded
    rest = "".join(char for char in bare[1:] if char not in "aeiouh")
    return bare[0] + rest if rest else folded


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the script most letters are in, or "" for a text without letters."""
    counts: dict[str, int] = {}
    for char in text:
        code = _script(char)
        if code:
            counts[code] = counts.get(code, 0) + 1
    return max(counts, key=lambda code: counts[code]) if counts else ""


def digits_of(text: str) -> str:
    """Return the decimal digits of *text*, of any script, as ASCII."""
    return "".join(str(digit) for char in text if (digit := unicodedata.digit(char, None)) is not None)


def _block(char: str) -> str:
    return BLOCKS.get(ord(char) // _BLOCK_SIZE * _BLOCK_SIZE, "")


def _is_dot(char: str) -> bool:
    return ord(char) % _BLOCK_SIZE == _NUKTA and bool(_block(char))


def _script(char: str) -> str:
    if char.isascii():
        return "Latn" if char.isalpha() else ""
    code = _block(char)
    if code:
        return code
    if "\u0600" <= char <= "\u06ff" or "\u0750" <= char <= "\u077f" or "\ufb50" <= char <= "\ufeff":
        return "Arab"
    return "Latn" if char.isalpha() and "LATIN" in unicodedata.name(char, "") else ""


def _letter(char: str) -> tuple[str, str]:
    """Return the Latin piece of a letter and its kind: consonant, vowel, sign, virama, dot, nasal, other."""
    if char in _EXTRA:
        return _EXTRA[char], "other"
    if not _block(char):
        return _ARABIC.get(char, _unaccented(char)), "other"
    offset = ord(char) % _BLOCK_SIZE
    if offset == _NUKTA:
        return "", "dot"
    if offset in _CONSONANTS:
        return _OWN.get((_block(char), offset), _CONSONANTS[offset]), "consonant"
    if offset == _VIRAMA:
        return "", "virama"
    for table, kind in ((_SIGNS, "sign"), (_VOWELS, "vowel"), (_MARKS, "nasal")):
        if offset in table:
            return table[offset], kind
    return "", "sign"


def _unaccented(char: str) -> str:
    plain = unicodedata.normalize("NFD", char)[:1]
    return plain if plain.isascii() else char
