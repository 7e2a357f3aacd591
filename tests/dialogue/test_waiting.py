"""What holds whatever people write between the alarm and the human: the silences, and that danger is always heard."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.content.model import Content
from bot.dialogue import quiet
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.dialogue.step import step
from bot.domain.agencies import Check, Verdict
from bot.domain.conversation import Conversation, Forget, OpenCase, RaiseCase, Tell, Turn, Unlearn
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.domain.understanding import NOTHING
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from tests.conftest import NOW

DANGER = ("they are beating me", "bachao", "मुझे मालिक ने कमरे में बंद कर दिया है")
WORDS = ("hello", "yes", "no", "1", "2", "Surat", "a blue gate", "menu", "delete my data", "stop", "repeat", "ok", "")
TAPS = (
    "q:safe_yes", "q:safe_no", "q:hurt", "q:child", "q:none", "q:place", "q:talk", "q:word", "q:me", "q:other", "c:menu",
    "c:fine", "c:person", "c:delete_yes", "c:repeat", "c:language", "l:hi", "t:wages_minimum", "q:nothing",
)  # fmt: skip


@pytest.fixture(scope="module")
def knowledge(content: Content) -> Knowledge:
    return Knowledge(
        content,
        Guard(content.danger),
        lambda _: Check(Verdict.NOT_FOUND),
        {},
        Gazetteer(content),
        Offers(content.red_flags),
        Lexicon(content.firm_words),
    )


def said(
    conversation: Conversation, knowledge: Knowledge, words: str = "", choice: str | None = None, seconds: float = 20
) -> Turn:
    now = (conversation.seen_at or NOW) + timedelta(seconds=seconds)
    carrier = Carrier.CHOICE if choice else Carrier.TEXT
    address = Address(ChannelName.TERMINAL, Private("p"))
    turn = step(
        conversation,
        InboundMessage("k", address, carrier, Private(words), now, now, choice),
        NOTHING,
        knowledge,
        now,
    )
    return replace(turn, conversation=replace(turn.conversation, version=conversation.version + 1))


def some_case(knowledge: Knowledge) -> Conversation:
    return said(Conversation("c" * 64, locale="en", notice_seen=True), knowledge, "they locked us in").conversation


def anything(dice: random.Random) -> tuple[str, str | None]:
    return (dice.choice(WORDS), None) if dice.random() < 0.5 else ("", dice.choice(TAPS))


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_said_once_a_responder_has_it_and_danger_still_raises(knowledge: Knowledge, seed: int) -> None:
    dice = random.Random(seed)
    conversation = replace(some_case(knowledge), claimed=True)
    for _ in range(12):
        words, choice = anything(dice)
        turn = said(conversation, knowledge, words, choice, dice.choice((1, 20, 90_000)))
        conversation = turn.conversation
        assert turn.replies == ()
    turn = said(conversation, knowledge, dice.choice(DANGER))
    assert turn.replies == ()
    assert any(isinstance(effect, RaiseCase) for effect in turn.effects)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_said_in_silence_and_danger_still_raises(knowledge: Knowledge, seed: int) -> None:
    """With a word of their own, nothing else wakes it, however long it lasts."""
    dice = random.Random(seed)
    conversation = replace(some_case(knowledge), safe_word="mango")
    conversation = said(conversation, knowledge, choice="q:here").conversation
    for _ in range(12):
        words, choice = anything(dice)
        turn = said(conversation, knowledge, words, choice, dice.choice((1, 20, 90_000)))
        conversation = turn.conversation
        assert turn.replies == ()
        assert conversation.silent
    turn = said(conversation, knowledge, dice.choice(DANGER))
    assert turn.replies == ()
    assert any(isinstance(effect, RaiseCase) for effect in turn.effects)
    assert said(turn.conversation, knowledge, "MANGO").replies


def test_silence_asked_for_in_words_of_danger_takes_back_that_we_may_write_first(knowledge: Knowledge) -> None:
    """As the tap does: on a watched phone no greeting may come out of the blue."""
    agreed = Conversation("c" * 64, locale="en", notice_seen=True, opted_in=True)
    for begun in (agreed, replace(some_case(knowledge), opted_in=True)):
        turn = said(begun, knowledge, "they are beating me, do not reply, he checks my phone")
        assert turn.conversation.silent
        assert not turn.conversation.opted_in
    assert said(agreed, knowledge, "they locked us in").conversation.opted_in


@pytest.mark.parametrize("seed", range(60))
def test_at_most_one_question_at_a_time_and_each_once(knowledge: Knowledge, seed: int) -> None:
    """And no second case is ever opened beside the first."""
    dice = random.Random(seed)
    conversation, asked = some_case(knowledge), []
    for _ in range(12):
        words, choice = dice.choice(
            (("hello", None), ("a blue gate", None), ("", "q:safe_yes"), ("", "q:none"), ("", "q:talk"))
        )
        turn = said(conversation, knowledge, words, choice)
        conversation = turn.conversation
        assert len(turn.replies) <= 1
        assert not any(isinstance(effect, OpenCase) for effect in turn.effects)
        asked += [reply.message for reply in turn.replies]
    assert len(asked) == len(set(asked))
    assert asked[-1] == "waiting.kept"


def test_danger_while_waiting_is_raised_whatever_was_asked(knowledge: Knowledge) -> None:
    for waiting in ("", "safe", "where", "hurt", "need", "kept", "later", "word"):
        for words in DANGER:
            turn = said(replace(some_case(knowledge), waiting=waiting), knowledge, words)
            assert any(isinstance(effect, RaiseCase) for effect in turn.effects), (waiting, words)


def test_consent_can_be_typed_in_every_language(knowledge: Knowledge) -> None:
    """The words on the two buttons, typed out, are the two answers; from somebody else on the phone they are none."""
    for code in knowledge.content.locales:
        asked = replace(some_case(knowledge), locale=code, claimed=True, consent_asked_at=NOW)
        for label, value in (("core.yes.label", "yes"), ("core.no.label", "no")):
            words = knowledge.content.words(code, label)
            turn = said(asked, knowledge, words)
            tapped = said(asked, knowledge, choice=f"q:consent_{value}")
            assert turn.effects == tapped.effects and Tell(asked.open_case, "consent", Private(value)) in turn.effects
            assert turn.replies == ()
            for other in (
                replace(asked, consent_asked_at=None), replace(asked, stranger=True), replace(asked, asked_same=True),
                replace(asked, consent_asked_at=NOW + timedelta(hours=1)),
            ):  # fmt: skip
                assert not any(isinstance(effect, Tell) for effect in said(other, knowledge, words).effects), (
                    code,
                    words,
                )


def test_danger_is_heard_before_any_consent(knowledge: Knowledge) -> None:
    asked = replace(some_case(knowledge), claimed=True, consent_asked_at=NOW)
    for words in (*DANGER, "yes, they are beating me"):
        turn = said(asked, knowledge, words)
        assert any(isinstance(effect, RaiseCase) for effect in turn.effects)
        assert not any(isinstance(effect, Tell) for effect in turn.effects)


def lines_after(knowledge: Knowledge, conversation: Conversation, seconds: float = 20) -> list[str]:
    turn = said(conversation, knowledge, "he raped me", seconds=seconds)
    assert any(isinstance(effect, RaiseCase) for effect in turn.effects)
    return [reply.message for reply in turn.replies]


def test_graver_danger_is_answered_only_where_nobody_has_the_case_and_nobody_watches(knowledge: Knowledge) -> None:
    """Not on a phone that fell silent, was cleared, may be in other hands, nor once a responder has the case."""
    case = some_case(knowledge)
    assert "distress.first_woman" in lines_after(knowledge, case)
    watched = said(case, knowledge, choice="q:here").conversation
    cleared = said(case, knowledge, "quick exit").conversation
    for quiet_one in (watched, cleared, replace(case, asked_same=True), replace(case, claimed=True)):
        assert lines_after(knowledge, quiet_one, 900) == []


def test_stop_is_kept_with_the_conversation_whoever_has_the_case(knowledge: Knowledge) -> None:
    """Lessons, notes and greetings end too; a wish to be deleted is kept for the end of the case."""
    for case in (some_case(knowledge), replace(some_case(knowledge), claimed=True, course="rights")):
        turn = said(case, knowledge, "stop")
        assert turn.conversation.stopped and not turn.conversation.course
        assert Unlearn() in turn.effects
        assert said(case, knowledge, "delete my data").conversation.erase_requested


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("17", "yes"),
        ("18", "no"),
        ("٤٠", "no"),
        ("1", "yes"),
        ("3", "skip"),
        ("Skip", "skip"),
    ],
)
def test_age_is_asked_once_and_may_be_skipped(knowledge: Knowledge, words: str, kept: str) -> None:
    """A digit that is offered is a choice; any other number is an age."""
    asked = said(replace(some_case(knowledge), waiting="where"), knowledge, "a blue gate")
    assert [reply.message for reply in asked.replies] == ["waiting.age"]
    turn = said(asked.conversation, knowledge, words)
    tells = {effect.slot: effect.value.reveal() for effect in turn.effects if isinstance(effect, Tell)}
    assert tells == {"under_18": kept}
    assert turn.conversation.minor is (kept == "yes")
    assert [reply.message for reply in turn.replies][-1] == ("waiting.kept" if kept == "yes" else "waiting.hurt")


def test_words_that_are_no_age_are_no_answer_to_it_and_the_next_question_comes(knowledge: Knowledge) -> None:
    turn = said(replace(some_case(knowledge), waiting="age", told=("where",)), knowledge, "who are you")
    assert not any(isinstance(effect, Tell) for effect in turn.effects)
    assert [reply.message for reply in turn.replies] == ["waiting.hurt"]


def test_wrong_safe_words_are_counted_for_the_responders_and_change_nothing_on_the_phone(knowledge: Knowledge) -> None:
    """Every third is told; longer messages and taps are no tries; the right word still wakes it, and starts anew."""
    conversation = said(replace(some_case(knowledge), safe_word="mango"), knowledge, choice="q:here").conversation
    told = []
    for words in ("rice", "apple tree", "this is a long message", "", "milk", "salt", "bell", "fish"):
        turn = said(conversation, knowledge, words)
        conversation = turn.conversation
        assert turn.replies == () and conversation.silent
        told += [effect.value.reveal() for effect in turn.effects if isinstance(effect, Tell)]
    assert told == ["3", "6"]
    awake = said(conversation, knowledge, "mango")
    assert awake.replies and awake.conversation.wrong_words == 0


def test_after_half_an_hour_we_ask_first_whether_it_is_a_good_time(knowledge: Knowledge) -> None:
    """What was answered is kept; then we go on where we were, and no question comes twice."""
    case = replace(some_case(knowledge), waiting="hurt", told=("where",))
    soon = said(case, knowledge, choice="q:none", seconds=1799)
    assert [reply.message for reply in soon.replies] == ["waiting.need"]
    back = said(case, knowledge, choice="q:none", seconds=1800)
    assert [reply.message for reply in back.replies] == ["waiting.safe"]
    assert any(isinstance(effect, Tell) and effect.slot == "hurt" for effect in back.effects)
    still = said(back.conversation, knowledge, "hello", seconds=1800)
    assert [reply.message for reply in still.replies] == ["waiting.safe"]
    for words, choice in (("yes", None), ("", "q:safe_yes")):
        turn = said(still.conversation, knowledge, words, choice)
        assert [reply.message for reply in turn.replies] == ["waiting.need"]
    assert [reply.message for reply in said(back.conversation, knowledge, choice="q:safe_no").replies] == [
        "waiting.later"
    ]
    assert said(back.conversation, knowledge, choice="q:here").conversation.silent
    assert said(replace(case, waiting="kept"), knowledge, "hello", seconds=1800).replies == ()


def test_the_question_that_is_open_stays_open_when_danger_is_answered(knowledge: Knowledge) -> None:
    """Its taps still answer it: what is said of the danger offers nothing of its own."""
    case = some_case(knowledge)
    turn = said(case, knowledge, "he raped me")
    assert turn.conversation.offered == case.offered
    assert all(not reply.choices for reply in turn.replies)


def test_a_child_who_wants_to_die_is_told_the_line_for_that(knowledge: Knowledge) -> None:
    case = said(
        Conversation("c" * 64, locale="en", notice_seen=True), knowledge, "my age is 13, he beats me"
    ).conversation
    assert case.minor
    turn = said(case, knowledge, "I want to kill myself")
    assert "distress.first_self_harm" in [reply.message for reply in turn.replies]


def test_silence_is_asked_for_in_every_language(knowledge: Knowledge) -> None:
    """Each language has a way to say it, and what is typed out from the button's words says it too."""
    for code in knowledge.content.locales:
        conversation = replace(some_case(knowledge), locale=code)
        words = knowledge.content.words(code, "waiting.here.label")
        assert said(conversation, knowledge, words).conversation.silent, (code, words)


def test_hiding_says_only_what_the_channel_cannot_do_and_keeps_the_case(knowledge: Knowledge) -> None:
    """Also in silence, where nothing is said on any channel; afterwards nothing can be repeated."""
    said_on = {
        ChannelName.TELEGRAM: [],
        ChannelName.WHATSAPP: ["waiting.hide_phone"],
        ChannelName.WEB: ["waiting.cleared"],
    }
    for channel, messages in said_on.items():
        conversation = replace(some_case(knowledge), channel=channel)
        turn = quiet.hide(conversation)
        assert [reply.message for reply in turn.replies] == messages
        assert Forget() in turn.effects
        assert turn.conversation.open_case
        assert turn.conversation.last_replies == ()
        assert quiet.hide(replace(conversation, silent=True)).replies == ()
    assert Forget() in said(some_case(knowledge), knowledge, "quick exit").effects
    assert Forget() in said(some_case(knowledge), knowledge, choice="q:hide").effects


def test_what_shows_on_a_lock_screen_says_nothing(content: Content) -> None:
    """The first words of whatever is sent later, and of all questions, name no helper, no law, no danger."""
    telling = {
        "en": ("help", "danger", "police", "hurt", "112", "law"),
        "hi": ("मदद", "खतर", "पुलिस", "चोट", "112", "कानून"),
    }
    for code, stems in telling.items():
        for key, words in content.messages[code].items():
            if key.startswith("waiting.") and not key.endswith(".label"):
                assert not [stem for stem in stems if stem in words[:60].lower()], (code, key)
