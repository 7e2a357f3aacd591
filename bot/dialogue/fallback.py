"""People who write in a language without content: answered in the nearest one we have, and told so, once."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Final

from bot.content.model import Content, OtherLanguage
from bot.dialogue import answers
from bot.dialogue.knowledge import Knowledge
from bot.domain import text as forms
from bot.domain.conversation import Conversation, Translate, Turn
from bot.domain.messages import Lane, Reply
from bot.domain.words import folded_words

#: Areas whose answers a machine may translate on request: no danger, no report, no law, no recruiter.
MAY_TRANSLATE: Final = frozenset({"schemes", "documents"})
LEAST_MARKERS: Final = 2
MOST_LETTERS: Final = 200


def other_language(text: str, heard: str, content: Content) -> OtherLanguage | None:
    """Return the language of ours that *text* is not in, if it is one we know of: by its letters, *heard*, its words.

    *heard* is the language the NLU tells, or "".
    """
    if heard in content.others:
        return content.others[heard]
    written = {language.script: language for language in content.others.values() if language.script}
    letters = _letters(text, tuple(written))
    if letters:
        return written[letters]
    script = forms.script_of(text)
    words = set(folded_words(text))
    best: tuple[int, OtherLanguage] | None = None
    for language in content.others.values():
        same = any(content.locales[code].script == script for code in language.nearest if code in content.locales)
        signs = len(words & set(language.signs))
        count = len(words & set(language.markers)) + LEAST_MARKERS * signs if same else 0
        if count >= LEAST_MARKERS and (best is None or count > best[0]):
            best = (count, language)
    return best[1] if best else None


def nearest(language: OtherLanguage, content: Content) -> str:
    """Return the offered locale nearest to *language*."""
    return next((code for code in language.nearest if code in content.locales), next(iter(content.locales)))


def tell(turn: Turn, knowledge: Knowledge) -> Turn:
    """Say once, before the answer, that we do not know their language; offer a machine if the operator allows one."""
    code = turn.conversation.other_language
    language = knowledge.content.others.get(code)
    if not language or not turn.replies:
        return turn
    told = Reply("core.other_language", {"language": language.own_name})
    return replace(turn, replies=(told, *offer(turn, knowledge).replies))


def offer(turn: Turn, knowledge: Knowledge) -> Turn:
    """Put "translate by machine" among the last choices, where every answer of the turn may be translated."""
    if not knowledge.may_translate or not turn.conversation.other_language or not translatable(turn.replies, knowledge):
        return turn
    at = next((n for n in reversed(range(len(turn.replies))) if turn.replies[n].choices), None)
    if at is None:
        return turn
    reply = turn.replies[at]
    more = replace(reply, choices=(*reply.choices[: answers.MOST_CHOICES - 1], answers.TRANSLATE))
    return replace(turn, replies=(*turn.replies[:at], more, *turn.replies[at + 1 :]))


def translatable(replies: tuple[Reply, ...], knowledge: Knowledge) -> bool:
    """Say whether these are answers about schemes or papers, and nothing else."""
    topics = {reply.message.partition(".")[0] for reply in replies} - {"core"}
    known = knowledge.content.topics
    if not topics or any(reply.lane is Lane.DISTRESS for reply in replies):
        return False
    return all(name in known and known[name].area in MAY_TRANSLATE for name in topics)


def translate(conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Ask for the last answer by machine; never for danger, reports or law."""
    said = tuple(reply for reply in conversation.last_replies if not reply.message.startswith("core."))
    if not knowledge.may_translate or not conversation.other_language or not translatable(said, knowledge):
        never = Reply("core.translate_never", choices=(answers.PERSON, answers.MENU))
        return Turn(conversation, (never,))
    return Turn(conversation, (), (Translate(conversation.other_language, said),))


def _letters(text: str, scripts: tuple[str, ...]) -> str:
    """Return which of *scripts*, by their names in Unicode ("OL CHIKI"), most letters are in, or ""."""
    counts: dict[str, int] = {}
    for char in text[:MOST_LETTERS]:
        name = unicodedata.name(char, "") if not char.isascii() and char.isalpha() else ""
        script = next((script for script in scripts if name.startswith(script)), "") if name else ""
        if script:
            counts[script] = counts.get(script, 0) + 1
    return max(counts, key=lambda script: counts[script]) if counts else ""
