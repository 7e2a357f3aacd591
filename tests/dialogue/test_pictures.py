"""Words read in a picture: checked like typed ones, never taken for a choice; a note is heard, a poster is no call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.dialogue.step import step
from bot.domain.conversation import Conversation, Forward, OpenCase, Turn
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.risk import Level
from bot.domain.understanding import NOTHING
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from bot.recruiters.verdict import check
from tests.conftest import NOW
from tests.recruiters.test_check import INDEX, TODAY

HERE = Conversation("c1", ChannelName.TELEGRAM, 1, "en", "en", notice_seen=True)
POSTER = """AL SAFA TRAVELS & MANPOWER
Urgent hiring: 20 drivers for Dubai
Visit visa in 3 days. Pay Rs 45,000 before you fly
Call / WhatsApp: 98765 43210"""
OFFER = "You got the job in Dubai. Visit visa in 3 days, work permit later. Deposit your passport with us. Come today."
NOTE = "Please help me\nI am locked in a room in the factory\nthey beat me"
LANDSCAPE = "ae | lw"


@pytest.fixture(scope="module")
def knowledge(content: Content) -> Knowledge:
    return Knowledge(
        content,
        Guard(content.danger),
        lambda query: check(query, INDEX, TODAY),
        {},
        Gazetteer(content),
        Offers(content.red_flags),
        Lexicon(content.firm_words),
    )


def image(seen: str | None, text: str = "") -> InboundMessage:
    address = Address(ChannelName.TELEGRAM, Private("p"))
    carrier = Carrier.CAPTION if text else Carrier.IMAGE
    words = None if seen is None else Private(seen)
    return InboundMessage("1", address, carrier, Private(text) if text else NOTHING_SAID, NOW, NOW, seen=words)


def shown(knowledge: Knowledge, seen: str | None, conversation: Conversation = HERE) -> Turn:
    return step(conversation, image(seen), NOTHING, knowledge, NOW)


def ids(turn: Turn) -> list[str]:
    return [reply.message for reply in turn.replies]


def opens(turn: Turn) -> bool:
    return any(isinstance(effect, OpenCase) for effect in turn.effects)


def test_a_poster_is_told_back_and_checked(knowledge: Knowledge) -> None:
    """Signs of the offer, then what the lists say of the name and number; the next name can be typed at once."""
    turn = shown(knowledge, POSTER)
    assert ids(turn)[:2] == ["media.image_read", "offer.found"]
    assert "verify.not_found" in ids(turn)
    assert turn.replies[0].values["words"].startswith("AL SAFA TRAVELS & MANPOWER Urgent hiring")
    assert turn.conversation.flow == "verify"
    assert not opens(turn)


def test_a_card_of_a_listed_agency(knowledge: Knowledge) -> None:
    turn = shown(knowledge, "Suryodaya Overseas\nB-0001/SAM/PER/100/5/9001/2020")
    assert ids(turn)[:2] == ["media.image_read", "verify.listed"]


def test_an_offer_that_names_nobody_gets_its_warning_signs(knowledge: Knowledge) -> None:
    turn = shown(knowledge, OFFER)
    assert ids(turn)[:2] == ["media.image_read", "offer.found"]
    assert not any(name.startswith("verify.") for name in ids(turn))


def test_a_sign_is_found_across_the_end_of_a_line_that_only_ran_out_of_room(knowledge: Knowledge) -> None:
    """And is told back with plain spaces."""
    turn = shown(knowledge, "Deposit your\u2028passport with us\nCall 98765 43210")
    assert ids(turn)[:2] == ["media.image_read", "offer.found"]
    assert turn.replies[0].values["words"] == "Deposit your passport with us Call 98765 43210"
    assert "offer.found" not in ids(shown(knowledge, "Deposit your\npassport with us\nCall 98765 43210"))


def test_what_is_told_back_is_short(knowledge: Knowledge) -> None:
    turn = shown(knowledge, POSTER + "\nword" * 500)
    assert len(turn.replies[0].values["words"]) == 200


@pytest.mark.parametrize("flow", ["verify", "offer"])
@pytest.mark.parametrize("seen", ["", LANDSCAPE])
def test_where_a_check_goes_on_an_unread_picture_is_asked_for_in_words(
    knowledge: Knowledge, flow: str, seen: str
) -> None:
    turn = shown(knowledge, seen, replace(HERE, flow=flow))
    assert ids(turn) == ["media.image_unread"]
    assert turn.conversation.flow == flow


@pytest.mark.parametrize("seen", ["", LANDSCAPE, None])
def test_elsewhere_a_picture_without_anything_to_check_is_answered_as_before(
    knowledge: Knowledge, seen: str | None
) -> None:
    assert ids(shown(knowledge, seen)) == ["media.image"]


def test_where_nothing_reads_pictures_a_check_answers_as_before(knowledge: Knowledge) -> None:
    assert ids(shown(knowledge, None, replace(HERE, flow="verify"))) == ["media.image"]


def test_a_likeness_counts_only_where_a_name_was_asked_for(knowledge: Knowledge) -> None:
    """A single word that resembles a listed name is no reason to speak of recruiters to somebody who did not ask."""
    assert ids(shown(knowledge, "Suryodaya")) == ["media.image"]
    asked = shown(knowledge, "Suryodaya", replace(HERE, flow="verify"))
    assert ids(asked)[:2] == ["media.image_read", "verify.lookalike"]


def test_an_offer_that_was_asked_for_is_answered_even_without_a_sign(knowledge: Knowledge) -> None:
    plain = "Sweeper wanted in a school in Patna, fixed hours, weekly holiday, wage paid on the seventh of each month"
    assert ids(shown(knowledge, plain)) == ["media.image"]
    assert ids(shown(knowledge, plain, replace(HERE, flow="offer")))[:2] == ["media.image_read", "offer.none"]


@pytest.mark.parametrize("printed", ["1", "2", "STOP", "menu", "delete", "yes", "sy_NDLS"])
def test_what_is_printed_is_never_a_choice_or_a_command(knowledge: Knowledge, printed: str) -> None:
    before = replace(HERE, offered=("c:delete_yes", "c:stop"))
    turn = shown(knowledge, printed, before)
    assert not turn.conversation.stopped
    assert not opens(turn)
    assert set(ids(turn)) <= {"media.image", "distress.perhaps"}


def test_yes_in_a_picture_does_not_answer_whether_help_is_needed(knowledge: Knowledge) -> None:
    assert not opens(shown(knowledge, "yes", replace(HERE, asked_if_in_danger="distress_help")))


# --- danger


def test_a_note_that_calls_for_help_opens_a_case(knowledge: Knowledge) -> None:
    turn = shown(knowledge, NOTE)
    assert opens(turn)
    assert turn.conversation.held
    assert ids(turn)[0].startswith("distress.first")


def test_a_note_in_hindi_opens_a_case_even_while_a_recruiter_is_checked(knowledge: Knowledge) -> None:
    assert opens(shown(knowledge, "मुझे कमरे में बंद कर दिया है बचाओ", replace(HERE, flow="verify")))


def test_a_poster_with_words_of_danger_is_checked_and_the_person_asked_with_one_tap(knowledge: Knowledge) -> None:
    """Printed words alone open no case; one tap on "help now", or "yes", does."""
    turn = shown(knowledge, POSTER + "\nLocked in a room? Beaten? " + NOTE)
    assert not opens(turn)
    assert ids(turn)[0] == "media.image_read" and ids(turn)[-1] == "distress.perhaps"
    assert turn.risk and turn.risk.level is Level.PERHAPS
    assert turn.conversation.offered[0] == "c:help"
    yes = replace(image(None, "yes"), carrier=Carrier.TEXT)
    assert opens(step(replace(turn.conversation, version=2), yes, NOTHING, knowledge, NOW))


def test_a_call_for_help_with_a_number_in_it_is_asked_at_least(knowledge: Knowledge) -> None:
    turn = shown(knowledge, NOTE + "\ncall my brother 98765 43210")
    assert not opens(turn)
    assert ids(turn)[-1] == "distress.perhaps"


def test_a_page_with_words_of_danger_and_nothing_to_check_is_asked_with_one_tap(knowledge: Knowledge) -> None:
    turn = shown(knowledge, NOTE + "\n" + "these are the words of a long leaflet " * 5)
    assert not opens(turn)
    assert ids(turn) == ["distress.perhaps"]


def test_weak_signs_in_a_short_note_are_asked_about(knowledge: Knowledge) -> None:
    """As if typed: "I am afraid" is asked about, with one tap."""
    turn = shown(knowledge, "dar lag raha hai")
    assert ids(turn) == ["distress.perhaps"]
    assert not opens(turn)


def test_weak_signs_on_a_poster_only_put_help_among_the_choices(knowledge: Knowledge) -> None:
    turn = shown(knowledge, "dar lag raha hai? AL SAFA TRAVELS & MANPOWER 98765 43210")
    assert turn.risk and turn.risk.level is Level.PERHAPS
    assert "distress.perhaps" not in ids(turn)
    assert any(choice.id == "c:help" for reply in turn.replies for choice in reply.choices)


def test_learned_weights_alone_never_open_a_case_from_a_picture(knowledge: Knowledge) -> None:
    """The very words that the weights would open a case for if they were typed are asked about."""
    words = "ಸೌದಿಯಲ್ಲಿ ಶೇಖ್ ಮನೆಗೆ ಅಡುಗೆಯವಳು ಬೇಕು. ಮಂಗಳೂರಿನ ಏಜೆಂಟ್ ಅಬ್ದುಲ್ ಕರ್ಕೊಂಡು ಹೋಗ್ತಾನೆ. ಕರಾರು ಪತ್ರ ಇಲ್ಲ. ಅಲ್ಲಿಂದ ಮನೆಗೆ ಫೋನ್ ಮಾಡೋ ಹಾಗಿಲ್ಲ."
    assert knowledge.guard.check(words).reason == "learned"
    assert knowledge.guard.check(words).level is Level.NOW
    turn = shown(knowledge, words)
    assert not opens(turn)
    assert turn.risk and turn.risk.level is Level.PERHAPS


@pytest.mark.parametrize("slogan", ["BETI BACHAO BETI PADHAO", "बेटी बचाओ बेटी पढ़ाओ"])
def test_a_slogan_on_every_wall_opens_no_case(knowledge: Knowledge, slogan: str) -> None:
    assert not opens(shown(knowledge, slogan))
    assert opens(shown(knowledge, "bachao mujhe"))


def test_a_picture_of_somebody_with_a_responder_goes_to_the_responder(knowledge: Knowledge) -> None:
    turn = shown(knowledge, None, replace(HERE, open_case="k1", held=True, claimed=True))
    assert turn.replies == ()
    assert turn.effects == (Forward("k1"),)


def test_with_a_case_open_and_the_bot_answering_the_responder_is_told_too(knowledge: Knowledge) -> None:
    turn = shown(knowledge, POSTER, replace(HERE, open_case="k1"))
    assert ids(turn)[0] == "media.image_read"
    assert Forward("k1") in turn.effects


def test_somebody_without_a_language_gets_the_answer_and_the_first_note(knowledge: Knowledge) -> None:
    turn = shown(knowledge, OFFER, Conversation("c2", ChannelName.TELEGRAM, 1, "", "en"))
    assert ids(turn)[0] == "media.image_read"
    assert ids(turn)[-1] == "core.first_note"
