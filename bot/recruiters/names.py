"""Names of agencies across scripts and spellings: telling words, fillers that weigh little, initials brought together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from bot.domain import text as forms

#: Legal forms, one kind a line: people leave them out, but a form that the list does not have is another firm.
_LEGAL: Final = (
    "pvt private प्राइवेट प्रा",
    "ltd limited लिमिटेड लि",
    "llp एलएलपी",
    "co company कंपनी कम्पनी",
    "inc incorporated",
    "corp corporation कॉरपोरेशन",
)
#: Words that half of all agencies carry, spellings of one word a line. They weigh little, but they must agree.
_TRADE: Final = (
    "international intl इंटरनेशनल अंतरराष्ट्रीय", "overseas oversea ओवरसीज ओवरसीज़ ओवर्सीज", "manpower मैनपावर मैनपॉवर",
    "consultancy कंसल्टेंसी", "consultant consultants कंसल्टेंट कंसल्टेंट्स", "consulting",
    "service services सर्विस सर्विसेज सर्विसेस", "enterprise enterprises एंटरप्राइज एंटरप्राइजेज", "travel travels ट्रैवल ट्रैवल्स",
    "tour tours टूर टूर्स", "placement placements प्लेसमेंट प्लेसमेंट्स", "recruitment recruitments रिक्रूटमेंट",
    "recruiter recruiters रिक्रूटर रिक्रूटर्स", "recruiting", "group ग्रुप", "global ग्लोबल", "india इंडिया", "indian इंडियन",
    "hr एचआर", "human ह्यूमन", "resource resources रिसोर्स रिसोर्सेज", "solution solutions सॉल्यूशन सॉल्यूशंस",
    "associates एसोसिएट्स", "bureau ब्यूरो", "export exports एक्सपोर्ट", "import imports इंपोर्ट", "trading ट्रेडिंग",
    "sons संस सन्स", "brothers bros ब्रदर्स",
)  # fmt: skip
#: Trade words that people add of themselves when they speak of an agency ("the X agency"): an extra one says nothing.
_LOOSE: Final = ("agency agencies एजेंसी", "agent agents एजेंट", "job jobs जॉब जॉब्स")
_LINKS: Final = "and the of एंड एवं और"
_ASKING: Final = (
    "kya ye yeh wo woh hai hain he sahi asli nakli fake real genuine registered check karo karna karke kare batao bataiye "
    "bhai sir is this an i a me my about it ok are they you please verify valid licence license lic number name naam wala "
    "wale wali ka ki ke ko se mujhe mera hamara uska unka par pe kaisa kaisi mobile mob phone ph no number rc registration "
    "contact call whatsapp from by through mil raha rahi rahe ne bola bole hu hun hoon main mein hum aur ya to bhi "
    "क्या यह ये वह है हैं सही असली नकली फर्जी चेक करो करें बताओ बताइए भाई का की के को से मुझे मेरा नाम वाला वाली वाले लाइसेंस "
    "नंबर मोबाइल फोन में पर ने बोला और या"
)
#: Words before a name that make it another firm's, even in prose.
_LENGTHENING: Final = "new neo nav naya shree shri super royal star al jai न्यू नया श्री"
#: Letters as they are spelt out in other scripts: "के के आर" is "kkr".
LETTERS: Final = {
    "bi": "b", "si": "c", "di": "d", "ef": "f", "ji": "g", "je": "j", "ke": "k", "el": "l", "em": "m", "en": "n",
    "pi": "p", "ar": "r", "es": "s", "ti": "t", "vi": "v", "eks": "x", "vai": "y", "jed": "z", "e": "a",
}  # fmt: skip
#: What all fillers together weigh beside the telling words, which weigh 1.
FILLER_WEIGHT: Final = 0.25
SKELETON_LEAST: Final = 3
MOST_WORDS: Final = 1000
LONG_WORD: Final = 5
MOST_INITIALS: Final = 5
SOUNDS_LIKE: Final = 70.0
#: Where one thing said ends and the next begins; not the dots of initials, not brackets ("(Pvt) Ltd").
_BREAKS: Final = re.compile(r"[|;:,!?*•।]|(?<=[^\s.]{4})\.(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: Latin letters as written, the folded form in which scripts agree, its script, its kind if a filler.

    kind: "" for a telling word, else "legal", "trade", "loose" or "link"; canon: what a filler stands for.
    """

    plain: str
    folded: str
    script: str
    kind: str = ""
    canon: str = ""

    @property
    def bones(self) -> str:
        """The consonants: what stays the same when a name changes its script."""
        return forms.skeleton(self.folded).rstrip("ai") or self.folded


@dataclass(frozen=True, slots=True)
class Name:
    """A name ready to compare: all folded words, those that tell it from others, and what its fillers stand for.

    script: ISO 15924 code of the telling words, "mixed" if they are in several, "" if they are numbers or there are none.
    """

    words: tuple[str, ...]
    core: tuple[str, ...]
    script: str = "Latn"
    plain_text: str = ""
    bones_text: str = ""
    trade: tuple[str, ...] = ()
    legal: frozenset[str] = frozenset()
    loose: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The folded words as one string."""
        return " ".join(self.words)

    @property
    def core_text(self) -> str:
        """The telling words as one string without spaces, so that "Sun Rise" and "Sunrise" agree."""
        return "".join(self.core)

    @property
    def fillers(self) -> tuple[str, ...]:
        """What the fillers stand for, sorted, legal forms last."""
        return (*self.trade, *self.loose, *sorted(self.legal))


def read_name(text: str, *, asked: bool = False) -> Name:
    """Return the name in *text*: initials joined ("K. K. R." is "kkr"), fillers set apart.

    *asked*: a person's question; the words that only ask ("kya … sahi hai") are left out unless nothing else is there.
    """
    words = words_of(text)
    if asked:
        words = tuple(word for word in words if not is_asking(word)) or words
    return name_of(words)


def segments_of(text: str) -> tuple[tuple[Word, ...], ...]:
    """Return the words of *text*, one group for each thing said: a name never runs over a comma or a full stop."""
    return tuple(words for part in _BREAKS.split(text) if (words := words_of(part)))


def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of *text*, at most 1,000, initials joined."""
    read = [_read(token) for token in forms.tokens(forms.normalise(text))[:MOST_WORDS]]
    joined: list[Word] = []
    run = ""
    for word in (*_spelt_out(read), None):
        if word and len(word.plain) == 1 and word.plain.isalpha():
            run += word.plain
            continue
        if run:
            joined.append(Word(run, run, "Latn"))
            run = ""
        if word:
            joined.append(word)
    return tuple(joined)


def name_of(words: tuple[Word, ...]) -> Name:
    """Return the name that *words* make."""
    core = [word for word in words if not word.kind]
    scripts = {word.script for word in core if word.script}
    return Name(
        words=tuple(word.folded for word in words),
        core=tuple(word.folded for word in core),
        script=scripts.pop() if len(scripts) == 1 else "mixed" if scripts else "",
        plain_text="".join(word.plain for word in core),
        bones_text="".join(word.bones for word in core),
        trade=tuple(sorted(word.canon for word in words if word.kind == "trade")),
        legal=frozenset(word.canon for word in words if word.kind == "legal"),
        loose=tuple(sorted(word.canon for word in words if word.kind == "loose")),
    )


def is_asking(word: Word) -> bool:
    """Say whether a word belongs to the question rather than to a name."""
    return word.folded in ASKING


def mended(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return *words* with fillers one letter off put right, and fillers run together with a name split off.

    Only for guessing what may have been meant: a name that needed mending is never sure.
    """
    return tuple(piece for word in words for piece in _mended(word))


def keys(name: Name) -> frozenset[str]:
    """Return the retrieval keys of a name: telling words, their skeletons, and letter trigrams."""
    found: set[str] = set()
    for word in name.core:
        bones = forms.skeleton(word)
        found.add(f"w:{word}")
        if len(bones) >= SKELETON_LEAST or len(word) <= SKELETON_LEAST:
            found.add(f"s:{bones}")
    padded = f"^{name.core_text}$"
    found |= {f"g:{padded[at : at + 3]}" for at in range(len(padded) - 2)}
    return frozenset(found)


def _read(token: str) -> Word:
    latin = forms.romanise(token)
    folded = latin if token.isascii() and _is_initials(latin) else forms.fold(latin) or latin
    kind, canon = _kind(folded, latin=token.isascii())
    return Word(latin, folded, forms.script_of(token), kind, canon)


def _mended(word: Word) -> tuple[Word, ...]:
    if word.kind:
        return (word,)
    for filler in _LONG_FILLERS if len(word.folded) > LONG_WORD else ():
        kind, canon = _FILLERS[filler]
        if OSA.distance(filler, word.folded, score_cutoff=1) <= 1 or _sounds_like(word.folded) == filler:
            return (Word(word.plain, filler, word.script, kind, canon),)
        head = word.folded.removesuffix(filler)
        if head != word.folded and len(head) >= SKELETON_LEAST:
            return (Word(head, head, word.script), Word(filler, filler, word.script, kind, canon))
    return (word,)


def _is_initials(latin: str) -> bool:
    """Say whether a word is letters to be read one by one: folding would make "kkr" and "kr" the same."""
    return len(latin) <= 2 or (len(latin) <= MOST_INITIALS and not set(latin) & set("aeiouy"))  # noqa: PLR2004


def _kind(folded: str, *, latin: bool) -> tuple[str, str]:
    """Return kind and meaning of a filler, ("", "") for a telling word.

    A word of another script may be a filler as it sounds; in Latin letters "Shiltan" is no "solution".
    """
    known = _FILLERS.get(folded)
    if known or latin or len(folded) <= LONG_WORD:
        return known or ("", "")
    return _FILLERS.get(_sounds_like(folded), ("", ""))


def _sounds_like(folded: str) -> str:
    """Return the filler with the same consonants and nearly the same vowels, or ""."""
    near = _FILLER_SKELETONS.get(forms.skeleton(folded), "")
    return near if near and fuzz.ratio(near, folded) >= SOUNDS_LIKE else ""


def _spelt_out(words: list[Word]) -> list[Word]:
    """Turn letter names of other scripts that stand side by side into letters; one alone may be a word."""
    letters = ["" if word.script == "Latn" else LETTERS.get(word.folded, "") for word in words]
    return [
        Word(letters[at], letters[at], "Latn")
        if letters[at] and (any(letters[at + 1 : at + 2]) or (at and letters[at - 1]))
        else word
        for at, word in enumerate(words)
    ]


def _folded(text: str) -> list[str]:
    tokens = forms.tokens(forms.normalise(text))
    latin = [(token, forms.romanise(token)) for token in tokens]
    return [word if token.isascii() and _is_initials(word) else forms.fold(word) or word for token, word in latin]


def _table() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for kind, lines in (("legal", _LEGAL), ("trade", _TRADE), ("loose", _LOOSE), ("link", (_LINKS,))):
        for line in lines:
            for word in _folded(line):
                found.setdefault(word, (kind, line.split()[0]))
    return found


_FILLERS: Final = _table()
_FILLER_SKELETONS: Final = {forms.skeleton(word): word for word in _FILLERS if len(word) > LONG_WORD}
_LONG_FILLERS: Final = sorted((word for word in _FILLERS if len(word) > LONG_WORD), key=len, reverse=True)
FILLERS: Final = frozenset(_FILLERS)
ASKING: Final = frozenset(_folded(_ASKING))
LENGTHENING: Final = frozenset(_folded(_LENGTHENING))
