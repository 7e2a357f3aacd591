"""Names of agencies in any script and spelling: telling words, fillers that weigh little, initials brought together."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from bot.domain import text as forms
from bot.domain.firm_words import FirmWords

#: The English names of letters as most scripts spell them, folded: ke ke ar is "kkr". A script's own table comes first.
LETTERS: Final = {
    "bi": "b", "si": "c", "di": "d", "ef": "f", "ji": "g", "je": "j", "ke": "k", "el": "l", "em": "m", "en": "n",
    "pi": "p", "ar": "r", "es": "s", "ti": "t", "vi": "v", "eks": "x", "vai": "y", "jed": "z", "e": "a",
}  # fmt: skip
SKELETON_LEAST: Final = 3
MOST_WORDS: Final = 1000
MOST_CACHED: Final = 50_000
LONG_WORD: Final = 5
SHORT_WORD: Final = 4
MOST_READINGS: Final = 32
LONGEST_LETTER: Final = 8
MOST_INITIALS: Final = 5
SOUNDS_LIKE: Final = 70.0
#: Where one thing said ends and the next begins; not the dots of initials, not brackets ("(Pvt) Ltd").
_BREAKS: Final = re.compile(r"[|;:,!?*•\u0964]|(?<=[^\s.]{4})\.(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: Latin letters as written, the folded form in which scripts agree, its script, its kind if a filler.

    kind: "" for a telling word, else one of `bot.domain.firm_words.KINDS`; canon: what a filler stands for; asks:
    belongs to the question rather than to a name; lengthens: before a name it makes another firm's, even in prose
    ("New …"); spoken: another way to hear it, folded (an English word as people here say it); letters: the letters that
    it may spell out (KMD as one word of another script). Both "" where there is nothing else to it.
    """

    plain: str
    folded: str
    script: str
    kind: str = ""
    canon: str = ""
    asks: bool = False
    lengthens: bool = False
    spoken: str = ""
    letters: str = ""

    @property
    def bones(self) -> str:
        """The consonants: what stays the same when a name changes its script."""
        return forms.skeleton(self.folded).rstrip("ai") or self.folded


@dataclass(frozen=True, slots=True)
class Name:
    """A name ready to compare: all folded words, those that tell it from others, and what its fillers stand for.

    script: ISO 15924 code of the telling words, "mixed" if they are in several, "" if they are numbers or none.
    """

    words: tuple[str, ...]
    core: tuple[str, ...]
    script: str = "Latn"
    plain_text: str = ""
    bones_text: str = ""
    trade: tuple[str, ...] = ()
    legal: frozenset[str] = frozenset()
    loose: tuple[str, ...] = ()
    spoken_text: str = ""

    @property
    def forms(self) -> tuple[str, ...]:
        """The telling words as one string: as written and, where that is different, as spoken."""
        return (self.core_text, self.spoken_text) if self.spoken_text else (self.core_text,)

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


class Lexicon:
    """Reads names: knows the fillers, asking words and spelt-out letters of every script; never changes once built."""

    def __init__(self, words: FirmWords) -> None:
        """Fold the tables once; the first entry of a spelling wins."""
        self._fillers: dict[tuple[str, str], tuple[str, str]] = {}
        for kind, canon, spelling in words.fillers:
            read = _bare(spelling)
            for written in (read.plain, read.folded) if len(read.folded) > LONG_WORD else (read.plain,):
                self._fillers.setdefault((read.script, written), (kind, canon))
        trade = (spelling for kind, _, spelling in words.fillers if kind == "trade")
        self._whole = frozenset("".join(forms.tokens(forms.normalise(spelling))) for spelling in trade)
        self._asking = frozenset(_key(word) for word in words.asking)
        self._lengthening = frozenset(_key(word) for word in words.lengthening)
        self._spoken = {_bare(word).folded: forms.fold(spoken) for word, spoken in words.spoken}
        self._letters: dict[str, tuple[str, ...]] = {}
        for letter, spelling in words.letters:
            token = "".join(forms.tokens(forms.normalise(spelling)))
            self._letters[token] = tuple(dict.fromkeys((*self._letters.get(token, ()), letter)))
        latin = {folded: meaning for (script, folded), meaning in self._fillers.items() if script == "Latn"}
        self._long = {
            folded: latin[folded] for folded in sorted(latin, key=len, reverse=True) if len(folded) > SHORT_WORD
        }
        self._sounding = {forms.skeleton(folded): folded for folded in reversed(self._long) if len(folded) > LONG_WORD}
        self._word = lru_cache(MOST_CACHED)(self._read)
        self._mend = lru_cache(MOST_CACHED)(self._mended)
        self.digest = sha256(repr(words).encode()).hexdigest()

    def name(self, text: str) -> Name:
        """Return the name in *text*: initials joined ("K. K. R." is "kkr"), fillers set apart."""
        return name_of(self.words(text))

    def segments(self, text: str) -> tuple[tuple[Word, ...], ...]:
        """Return the words of *text*, one group for each thing said: a name never runs over a comma or a full stop."""
        return tuple(words for part in _BREAKS.split(text) if (words := self.words(part)))

    def words(self, text: str) -> tuple[Word, ...]:
        """Return the words of *text*, at most 1,000, initials joined."""
        tokens = forms.tokens(forms.normalise(text))[:MOST_WORDS]
        if text.isascii() and not any(len(token) == 1 and token.isalpha() for token in tokens):
            whole = self._whole
            if not any(one + other in whole for one, other in itertools.pairwise(tokens)):
                return tuple(map(self._word, tokens))
        letters = self._spelt_out(tokens)
        found: list[Word] = []
        at = 0
        while at < len(tokens):
            end = at
            while end < len(tokens) and letters[end]:
                end += 1
            if end > at:
                found.append(self._initials(tokens[at:end], letters[at:end]))
                at = end
                continue
            word, joined = self._word(tokens[at]), self._joined(tokens, letters, at)
            found.append(joined or word)
            at += 2 if joined else 1
        return tuple(found)

    def mended(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """Return *words* with fillers one letter off put right, and fillers run together with a name split off.

        Only for guessing what may have been meant: a name that needed mending is never sure.
        """
        return tuple(piece for word in words for piece in self._mend(word))

    def _read(self, token: str) -> Word:
        bare = _bare(token)
        kind, canon = self._kind(bare)
        keys = {(bare.script, bare.plain), (bare.script, bare.folded)}
        spoken = self._heard(bare, token)
        return Word(
            bare.plain, bare.folded, bare.script, kind, canon,
            asks=not keys.isdisjoint(self._asking), lengthens=not keys.isdisjoint(self._lengthening),
            spoken=spoken if spoken != bare.folded else "", letters="" if kind else self._letters_in(token),
        )  # fmt: skip

    def _heard(self, word: Word, token: str) -> str:
        """Return another way to hear a word: English by the table; Urdu's vav as a consonant; Assamese x as s."""
        if word.script == "Arab":
            return word.folded.replace("o", "v")
        if word.script == "Latn" and token.startswith("x"):
            return word.folded.removeprefix("k")
        return self._spoken.get(word.folded, "") if word.script == "Latn" else ""

    def _letters_in(self, token: str) -> str:
        """Return the letters that a word of another script is run together from, or ""."""
        found, at = "", 0
        while at < len(token) and len(found) <= MOST_INITIALS:
            size = next((size for size in range(LONGEST_LETTER, 0, -1) if token[at : at + size] in self._letters), 0)
            if not size or token.isascii():
                return ""
            found, at = found + self._letters[token[at : at + size]][0], at + size
        return found if 2 <= len(found) <= MOST_INITIALS else ""  # noqa: PLR2004 - one letter alone is a word

    def _kind(self, word: Word) -> tuple[str, str]:
        """Return kind and meaning of a filler, ("", "") for a telling word.

        A word of another script may be a filler as it sounds; in Latin letters "Shiltan" is no "solution".
        """
        known = self._fillers.get((word.script, word.plain))
        if not known and len(word.folded) > LONG_WORD:
            known = self._fillers.get((word.script, word.folded))
        if known or word.script in {"Latn", ""} or len(word.folded) <= LONG_WORD:
            return known or ("", "")
        return self._long.get(self._sounds_like(word.folded), ("", ""))

    def _sounds_like(self, folded: str) -> str:
        """Return the filler with the same consonants and nearly the same vowels, or ""."""
        near = self._sounding.get(forms.skeleton(folded), "")
        return near if near and fuzz.ratio(near, folded) >= SOUNDS_LIKE else ""

    def _joined(self, tokens: list[str], letters: list[tuple[str, ...]], at: int) -> Word | None:
        """Return the filler that two tokens make together ("man power"), if neither is one alone."""
        whole = "".join(tokens[at : at + 2])
        if whole not in self._whole or whole == tokens[at] or letters[at + 1]:
            return None
        return None if any(self._word(token).kind for token in tokens[at : at + 2]) else self._word(whole)

    def _mended(self, word: Word) -> tuple[Word, ...]:
        if word.kind or word.script == "":
            return (word,)
        if word.letters:
            return (Word(word.letters, word.letters, word.script),)
        if any(char.isdigit() for char in word.plain) and (read := word.plain.translate(_MISREAD)).isalpha():
            again = self._word(read)
            return (again,) if again.kind else self._mended(again)
        for filler, (kind, canon) in self._long.items() if len(word.folded) >= SHORT_WORD else ():
            if any(OSA.distance(filler, form, score_cutoff=1) <= 1 for form in {word.folded, word.plain}):
                return (Word(word.plain, filler, word.script, kind, canon),)
            head = word.folded.removesuffix(filler)
            if head != word.folded and (len(head) >= SKELETON_LEAST or len(head) == 1):
                return (Word(head, head, word.script), Word(filler, filler, word.script, kind, canon))
        if near := self._sounds_like(word.folded):
            return (Word(word.plain, near, word.script, *self._long[near]),)
        if "rn" in word.plain and not _is_initials(word.plain):  # how a machine reads m
            return self._mended(self._word(word.plain.replace("rn", "m")))
        return (word,)

    def _spelt_out(self, tokens: list[str]) -> list[tuple[str, ...]]:
        """Return for each token the letters it may stand for, the likeliest first; a letter's name alone is a word."""
        letters = [self._letter(token) for token in tokens]
        return [
            own
            if own
            and ((len(token) == 1 and token.isascii()) or any(letters[at + 1 : at + 2]) or (at and letters[at - 1]))
            else ()
            for at, (token, own) in enumerate(zip(tokens, letters))
        ]

    def _letter(self, token: str) -> tuple[str, ...]:
        if token.isascii():
            return (token,) if len(token) == 1 and token.isalpha() else ()
        if own := self._letters.get(token):
            return own
        heard = LETTERS.get(self._word(token).folded, "")
        return (heard,) if heard else ()

    def _initials(self, tokens: list[str], letters: list[tuple[str, ...]]) -> Word:
        """Join spelt-out letters: to a filler ("L L P") if some reading is one, else to what is read first."""
        script = next((forms.script_of(token) for token in tokens if not token.isascii()), "Latn")
        readings = ("".join(run) for run in itertools.islice(itertools.product(*letters), MOST_READINGS))
        first, *others = (self._word(run) for run in readings)
        chosen = next((word for word in (first, *others) if word.kind), first)
        return replace(chosen, script=script)


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
        spoken_text="".join(word.spoken or word.folded for word in core) if any(word.spoken for word in core) else "",
    )


def coarse(folded: str) -> str:
    """Return the classes of the consonants: what is left of a name in every script (Tamil has one letter for p and b).

    Letters of one class are k g · s c j · t d · p b f v · n m · r · l; a leading vowel is "a"; no letter stands twice.
    """
    bare = folded.translate(_CLASSES)
    bare = "".join(char for at, char in enumerate(bare) if at == 0 or char != bare[at - 1])
    return f"a{bare}" if folded[:1] in _VOWELS else bare


def as_heard(folded: str, script: str) -> str:
    """Return a folded text as one who writes *script* has to write it: without the sounds that script cannot tell."""
    for sounds, instead in _SAME_SOUND:
        folded = folded.replace(sounds, instead)
    return folded.translate(_HEARD.get(script, _NO_H))


def consonants(folded: str) -> str:
    """Return a folded text without vowels and h, a leading vowel kept."""
    return folded[:1] + folded[1:].translate(_NO_VOWELS)


def _is_initials(latin: str) -> bool:
    """Say whether a word is letters to be read one by one: folding would make "kkr" and "kr" the same."""
    return len(latin) <= 2 or (len(latin) <= MOST_INITIALS and not set(latin) & set("aeiouy"))  # noqa: PLR2004


def _bare(token: str) -> Word:
    """Return one word before its kind is known."""
    token = "".join(forms.tokens(forms.normalise(token)))
    if token.isascii():
        folded = token if _is_initials(token) else forms.fold(token) or token
        return Word(token, folded, "" if token.isdigit() else "Latn")
    script = forms.script_of(token)
    for written, read in _LIGATURES.get(script, ()):
        token = token.replace(written, read)
    latin = forms.romanise(token)
    folded = forms.fold(latin) or latin
    return Word(latin, folded if script == "Latn" else folded.replace("jn", "gi"), script)


def _key(word: str) -> tuple[str, str]:
    """Return script and written form by which a short word of the tables is known."""
    read = _bare(word)
    return read.script, read.plain if read.script != "Latn" else read.folded


_VOWELS: Final = frozenset("aeiou")
_MISREAD: Final = str.maketrans("01568", "olsbb")
_CLASSES: Final = str.maketrans("gcjdbfvm", "ksstpppn", "aeiouh")
_NO_VOWELS: Final = str.maketrans("", "", "aeiouh")
_NO_H: Final = str.maketrans("", "", "h")
#: Letters that stand for another sound together than alone: Malayalam and Tamil rr, the Bengali ya below another.
_LIGATURES: Final = {
    "Mlym": (("\u0d31\u0d4d\u0d31", "\u0d1f\u0d4d\u0d1f"), ("\u0d7b\u0d31", "\u0d28\u0d4d\u0d1f"),
             ("\u0d28\u0d4d\u0d31", "\u0d28\u0d4d\u0d1f")),
    "Beng": (("\u09cd\u09af", "\u09cd\u09af\u09bc"),),
    "Taml": (("\u0bb1\u0bcd\u0bb1", "\u0b9f\u0bcd\u0b9f"),),
}  # fmt: skip
#: Spellings of one sound: anusvara before a labial, gya as Marathi types it, ksh as Tamil writes it.
_SAME_SOUND: Final = (("mb", "nb"), ("mp", "np"), ("dni", "gi"), ("jn", "gi"), ("tsu", "ks"), ("ts", "ks"))
_HEARD: Final = {
    "Taml": str.maketrans("ghdbfcj", "kktppss", ""),
    "Beng": str.maketrans("vo", "ba", "h"),
    "Orya": str.maketrans("vo", "ba", "h"),
    "Arab": str.maketrans("uve", "ooi", "ah"),
}
