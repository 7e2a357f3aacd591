"""Values found in a message, with offsets into the raw text. Standard library and our normal form only; linear in the text.

By pattern, over the digits of every script: licence, e-mail, date, phone, amount, age. By cue words: agency ("… Placement
Agency"), person ("my name is …", "agent …"). By the lexicon: place, relation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain import text as forms
from nlu.components.lexicon import PLACES, RELATIONS, Lexicon

LONGEST = 4000
LONGEST_NAME = 3
_NUMBER = r"(?<!\d)\d{1,3}(?:,?\d{2,3}){0,4}(?!\d)|(?<!\d)\d{1,9}(?!\d)"
_MONEY = (
    "rs rs. inr rupees rupee rupaye rupay rupaiye rupiya rupya rupye ₹ रु रु. रुपये रुपए रुपया रूपये रुपैया टका টাকা ৳ "
    "રૂપિયા રૂ ரூபாய் ரூ రూపాయలు రూ ರೂಪಾಯಿ ರೂ രൂപ ਰੁਪਏ ਰੁਪਏ ଟଙ୍କା روپے روپیہ"
)
_SCALES = "hazar hajar hazaar hajaar thousand lakh lac lakhs हजार हज़ार लाख হাজার লাখ હજાર લાખ ஆயிரம் லட்சம் వేలు లక్ష ಸಾವಿರ ಲಕ್ಷ ആയിരം ലക്ഷം ਹਜ਼ਾਰ ਲੱਖ ହଜାର ଲକ୍ଷ ہزار لاکھ k"
_YEARS = (
    "year years yr yrs saal sal baras varsh साल बरस वर्ष वर्षीय বছর বছরের વર્ષ વરસ வயது வருடம் ఏళ్ల ఏళ్లు సంవత్సరాల ವರ್ಷ ವರ್ಷದ വയസ്സ് വയസ് ਸਾਲ "
    "ବର୍ଷ سال"
)


def _any(words: str) -> str:
    chosen = sorted(set(unicodedata.normalize("NFC", words).split()), key=lambda word: (-len(word), word))
    return "|".join(map(re.escape, chosen))


def _units(words: str) -> str:
    """The words, not followed by a letter: "rs" must not begin "rsvp". Vowel signs count: they are not letters to `re`."""
    return f"(?:{_any(words)})(?![A-Za-z\u0900-\u0dff\u0600-\u06ff])"


def _folded(words: str) -> frozenset[str]:
    return frozenset(forms.fold(forms.romanise(word)) for word in forms.tokens(forms.normalise(words)))


_PATTERNS = (
    ("licence", re.compile(r"(?<![A-Za-z\d])[A-Z]-?\d{3,5}/[A-Z\d]{2,12}(?:/[A-Z\d+-]{1,12}){1,5}", re.IGNORECASE)),
    ("email", re.compile(r"(?<![A-Za-z\d._+-])[A-Za-z\d._+-]{1,64}@[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{2,24}){1,3}")),
    ("date", re.compile(r"(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?!\d)")),
    ("phone", re.compile(r"(?<!\d)(?:\+?91[ -]?|0)?[6-9](?:[ -]?\d){9}(?!\d)|(?<!\d)\+(?:[ -]?\d){9,14}(?!\d)")),
    (
        "amount",
        re.compile(
            rf"(?:(?:rs\.?|inr|₹|रु\.?)\s?)(?:{_NUMBER})(?:\s?{_units(_SCALES)})?"
            rf"|(?:{_NUMBER})(?:\s?{_units(_SCALES)})?\s?{_units(_MONEY)}|(?:{_NUMBER})\s?{_units(_SCALES)}",
            re.IGNORECASE,
        ),
    ),
    ("age", re.compile(rf"(?<!\d)\d{{1,2}}\s?(?:{_units(_YEARS)})", re.IGNORECASE)),
)
#: Words that end the name of a recruiting agency.
_AGENCY_ENDS = _folded(
    "agency agencies placement placements consultancy consultants consultant travels manpower recruiters recruitment "
    "overseas enterprises international services एजेंसी प्लेसमेंट कंसल्टेंसी ट्रेवल्स ट्रैवल्स मैनपावर ओवरसीज इंटरनेशनल एंटरप्राइजेज सर्विसेज"
)
#: Words that stand before such an ending without being part of a name.
_NO_NAME = _folded(
    "a an the this that any some my our his her is are was from by with for of to in and or recruiting job ek koi kisi ye yeh wo woh "
    "us is mera meri mere apna uska unka ka ki ke ko se me mein hai aur ya naam naukri nakli farzi asli sahi fake real genuine best good "
    "registered private govt sarkari एक कोई किसी ये यह वो वह उस इस मेरा मेरी मेरे अपना उसका का की के को से में है और या नाम नौकरी नकली फर्जी असली सही "
    "सरकारी रजिस्टर्ड which what kaun kaunsi konsi कौन कौनसी saal year years rupees rs i he she not h hain ne हैं ने nahi नहीं batao bolo kya क्या "
    "didn paisa paise पैसा पैसे paid on at"
)
_PERSON_CUES = (
    "my name is", "his name is", "her name is", "mera naam", "uska naam", "unka naam", "iska naam", "मेरा नाम", "उसका नाम", "उनका नाम",
    "इसका नाम", "mr", "mrs", "shri", "श्री", "thekedar", "ठेकेदार",
)  # fmt: skip
_PERSONS = tuple(
    tuple(forms.fold(forms.romanise(word)) for word in forms.tokens(forms.normalise(cue))) for cue in _PERSON_CUES
)


@dataclass(frozen=True)
class Word:
    """A word of the raw text: its folded form, where it stands, and whether only spaces part it from the word before."""

    folded: str
    start: int
    end: int
    follows: bool


class Values:
    """Finds entities; *lexicon* is the model's own (concept → folded entries)."""

    def __init__(self, lexicon: Mapping[str, Sequence[str]]) -> None:
        """Keep the places and the relations."""
        self._places = Lexicon({name: entries for name, entries in lexicon.items() if name in PLACES})
        self._relations = Lexicon({name: entries for name, entries in lexicon.items() if name in RELATIONS})

    def entities(self, text: str) -> list[dict[str, Any]]:
        """Return entities in Rasa's shape, in order; the first finder that claims a stretch of text keeps it."""
        said = text[:LONGEST]
        taken: list[tuple[int, int]] = []
        found = []
        for kind, start, end, value in (*_by_pattern(said), *self._by_words(said)):
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            found.append({"entity": kind, "value": value, "start": start, "end": end, "confidence_entity": 1.0})
        return sorted(found, key=lambda entity: entity["start"])

    def _by_words(self, text: str) -> Iterator[tuple[str, int, int, str]]:
        words = list(_words(text))
        folded = [word.folded for word in words]
        for kind, first, last in (
            *(("agency", *span) for span in _agencies(words)),
            *(("person", *span) for span in _persons(words)),
            *(("place", first, last) for first, last, _ in sorted(self._places.places_of(folded), key=_longest_first)),
            *(("relation", first, last) for first, last, _ in sorted(self._relations.places_of(folded), key=_longest_first)),
        ):
            start, end = words[first].start, words[last - 1].end
            yield kind, start, end, text[start:end]


def _by_pattern(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Digits of every script count as digits; one character stays one, so offsets hold."""
    plain = "".join(str(digit) if (digit := unicodedata.digit(char, None)) is not None else char for char in text)
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            yield kind, match.start(), match.end(), match.group().strip()


def _words(text: str) -> Iterator[Word]:
    """Yield the words of the raw text with their places; an invisible joiner inside a word does not cut it."""
    start, end = -1, 0
    for at, char in enumerate(f"{text} "):
        if unicodedata.category(char)[0] in "LMN" or (start >= 0 and unicodedata.category(char) == "Cf"):
            start = at if start < 0 else start
        elif start >= 0:
            parts = forms.tokens(forms.normalise(text[start:at]))
            folded = "".join(forms.fold(forms.romanise(part)) for part in parts)
            if folded:
                yield Word(folded, start, at, not text[end:start].strip(".") or text[end:start].isspace())
            start, end = -1, at


def _agencies(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yield (first word, after the last) of up to three name words and the cue words that follow them."""
    at = 0
    while at < len(words):
        if words[at].folded not in _AGENCY_ENDS:
            at += 1
            continue
        last = at + 1
        while last < len(words) and words[last].follows and words[last].folded in _AGENCY_ENDS:
            last += 1
        first = at
        while first > 0 and at - first < LONGEST_NAME and words[first].follows and _nameable(words[first - 1]):
            first -= 1
        if first < at:
            yield first, last
        at = last


def _persons(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yield the one or two words after a cue such as "my name is"."""
    folded = [word.folded for word in words]
    for cue in _PERSONS:
        for at in range(len(words) - len(cue)):
            if tuple(folded[at : at + len(cue)]) != cue:
                continue
            first = last = at + len(cue)
            while last < len(words) and last - first < 2 and _nameable(words[last]) and (last == first or words[last].follows):
                last += 1
            if first < last:
                yield first, last


def _nameable(word: Word) -> bool:
    return word.folded not in _NO_NAME and not any(char.isdigit() for char in word.folded)


def _longest_first(span: tuple[int, int, str]) -> tuple[int, int]:
    first, last, _ = span
    return first - last, first
