"""Names of agencies across scripts and spellings: folded words, what each weighs, initials brought together."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import text as forms
from bot.domain.words import folded_words

_FILLERS = (
    "pvt private ltd limited llp company co corporation inc and sons brothers bros the of "
    "international overseas manpower consultancy consultants consultant consulting services service enterprises "
    "enterprise travels travel tours placement placements recruitment recruiters recruiting agency agencies agent group "
    "global india indian hr human resources resource solutions associates bureau export import trading jobs job "
    "प्राइवेट लिमिटेड प्रा लि कंपनी इंटरनेशनल ओवरसीज मैनपावर कंसल्टेंसी कंसल्टेंट सर्विसेज सर्विस एंटरप्राइजेज ट्रैवल्स "
    "प्लेसमेंट एजेंसी एजेंट ग्रुप ग्लोबल इंडिया एंड संस"
)
_ASKING = (
    "kya ye yeh wo woh hai hain he sahi asli nakli fake real genuine registered check karo karna karke batao bataiye bhai sir "
    "is this agent an a i me my about it ok are they you please verify valid licence license number name naam wala wale "
    "ka ki ke ko se mujhe mera par pe kaisa kaisi company agency mobile phone no number "
    "क्या यह ये वह है हैं सही असली नकली फर्जी चेक करो बताओ बताइए भाई का की के को से मुझे नाम वाला वाली लाइसेंस नंबर"
)
FILLERS = frozenset(folded_words(_FILLERS))
ASKING = frozenset(folded_words(_ASKING))
FILLER_SKELETONS = frozenset(forms.skeleton(word) for word in FILLERS if len(word) > 5)  # noqa: PLR2004
#: Letters as they are spelt out in other scripts: "के के आर" is "kkr".
LETTERS = {
    "bi": "b", "si": "c", "di": "d", "ef": "f", "ji": "g", "je": "j", "ke": "k", "el": "l", "em": "m", "en": "n",
    "pi": "p", "ar": "r", "es": "s", "ti": "t", "vi": "v", "eks": "x", "vai": "y", "jed": "z", "e": "a",
}  # fmt: skip
FILLER_WEIGHT = 0.25
SKELETON_LEAST = 3


@dataclass(frozen=True, slots=True)
class Name:
    """A name ready to compare: all folded words, and those that tell it from others."""

    words: tuple[str, ...]
    core: tuple[str, ...]
    script: str = "Latn"

    @property
    def text(self) -> str:
        """The folded words as one string."""
        return " ".join(self.words)

    @property
    def core_text(self) -> str:
        """The telling words as one string without spaces, so that "Sun Rise" and "Sunrise" agree."""
        return "".join(self.core)


def read_name(text: str, *, asked: bool = False) -> Name:
    """Return the name in *text*: initials joined ("K. K. R." is "kkr"), fillers set apart.

    *asked*: a person's question; the words that only ask ("kya … sahi hai") are left out.
    """
    words, script = folded_words(text), forms.script_of(text)
    joined = _joined_initials(words if script == "Latn" else _spelt_out(words))
    if asked:
        joined = tuple(word for word in joined if word not in ASKING) or joined
    core = tuple(word for word in joined if not is_filler(word))
    return Name(joined, core, script)


def is_filler(word: str) -> bool:
    """Say whether a folded word is a legal form or a word that half of all agencies carry, however it is spelt."""
    return word in FILLERS or (len(word) > 5 and forms.skeleton(word) in FILLER_SKELETONS)  # noqa: PLR2004


def keys(name: Name) -> frozenset[str]:
    """Return the retrieval keys of a name: skeletons and letter trigrams of its telling words."""
    found: set[str] = set()
    for word in name.core:
        bones = forms.skeleton(word)
        found.add(f"w:{word}")
        if len(bones) >= SKELETON_LEAST or len(word) <= SKELETON_LEAST:
            found.add(f"s:{bones}")
    padded = f"^{name.core_text}$"
    found |= {f"g:{padded[at : at + 3]}" for at in range(len(padded) - 2)}
    return frozenset(found)


def _joined_initials(words: tuple[str, ...]) -> tuple[str, ...]:
    out: list[str] = []
    run = ""
    for word in (*words, ""):
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        if run:
            out.append(forms.fold(run))
            run = ""
        if word:
            out.append(word)
    return tuple(out)


def _spelt_out(words: tuple[str, ...]) -> tuple[str, ...]:
    """Turn letter names that stand side by side into letters; one alone may be a word."""
    letters = [LETTERS.get(word, "") for word in (*words, "")]
    return tuple(
        letters[at] if letters[at] and (letters[at + 1] or (at and letters[at - 1])) else word
        for at, word in enumerate(words)
    )
