"""Checking a recruiter with what the NLU picked out of a sentence: either of the two alone is enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.content.model import Content
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.step import step
from bot.domain.conversation import Turn
from bot.domain.messages import Carrier
from bot.domain.understanding import NOTHING, Entity, Ranked, Understanding
from tests.conftest import NOW
from tests.dialogue.test_pictures import HERE, image
from tests.dialogue.test_pictures import knowledge as knowledge

#: A long sentence in which nothing marks the name: the check of the whole text finds nobody.
ODD = "mere gaon me suryodya wale log aaye the bol rahe hai dubai bhejenge paisa nahi lagega kya karu bharosa karu"
NAME = "suryodya"


def meant(text: str, *entities: tuple[str, str]) -> Understanding:
    found = tuple(Entity(kind, value, 0, len(value)) for kind, value in entities)
    return Understanding("check_recruiter", 0.97, (Ranked("check_recruiter", 0.97),), found)


def asked(knowledge: Knowledge, text: str, understanding: Understanding, flow: str = "") -> Turn:
    message = replace(image(None, text), carrier=Carrier.TEXT)
    return step(replace(HERE, flow=flow), message, understanding, knowledge, NOW)


def ids(turn: Turn) -> list[str]:
    return [reply.message for reply in turn.replies]


def test_only_the_nlu_isolates_the_name(knowledge: Knowledge, content: Content) -> None:
    """Without the entity the bot asks for the name; with it the likeness is found."""
    assert ids(asked(knowledge, ODD, meant(ODD))) == ["verify.ask"]
    assert ids(asked(knowledge, ODD, meant(ODD, ("agency", NAME))))[0] == "verify.lookalike"
    assert content.words("en", "verify.lookalike")


@pytest.mark.parametrize("kind", ["agency", "person", "licence", "phone"])
def test_each_kind_of_name_counts(knowledge: Knowledge, kind: str) -> None:
    assert ids(asked(knowledge, ODD, meant(ODD, (kind, NAME))))[0] == "verify.lookalike"


def test_other_kinds_do_not(knowledge: Knowledge) -> None:
    assert ids(asked(knowledge, ODD, meant(ODD, ("place", NAME)))) == ["verify.ask"]


def test_without_the_nlu_the_text_is_enough(knowledge: Knowledge) -> None:
    """In the flow that asked for a name, an NLU that is down costs nothing."""
    assert ids(asked(knowledge, "Suryodaya Overseas", NOTHING, "verify"))[0] == "verify.listed"


def test_what_the_text_says_goes_before_what_the_nlu_makes_of_it(knowledge: Knowledge) -> None:
    text = "is Fast Visa Chacha real"
    assert ids(asked(knowledge, text, meant(text, ("agency", "Suryodaya Overseas"))))[0] == "verify.unregistered"


def test_in_the_open_flow_too(knowledge: Knowledge) -> None:
    assert ids(asked(knowledge, ODD, meant(ODD, ("agency", NAME)), "verify"))[0] == "verify.lookalike"


def test_a_name_on_no_list_is_said_as_such_and_not_the_whole_sentence(knowledge: Knowledge) -> None:
    text = "woh jo Mohanlal hai na bus stand ke paas baithta hai usko paisa de du kya bhejega dubai"
    turn = asked(knowledge, text, meant(text, ("person", "Mohanlal")))
    assert turn.replies[0].message == "verify.not_found"
    assert turn.replies[0].values["query"] == "Mohanlal"


@pytest.mark.parametrize("value", ["agency", "kya sahi hai", "overseas", ""])
def test_words_that_tell_nobody_apart_are_no_name(knowledge: Knowledge, value: str) -> None:
    text = "kya ye agency sahi hai"
    assert ids(asked(knowledge, text, meant(text, ("agency", value)))) == ["verify.ask"]


def test_two_details_that_disagree_are_never_listed(knowledge: Knowledge) -> None:
    """The NLU's name and number are weighed together, as if they had been written side by side."""
    picked = (("agency", "Suryodaya Overseas"), ("phone", "98765 43211"))
    turn = asked(knowledge, ODD, meant(ODD, *picked))
    assert ids(turn)[0] == "verify.lookalike"


def test_warning_signs_are_looked_for_in_all_that_was_said(knowledge: Knowledge) -> None:
    text = ODD + ". Visit visa pe bhejenge, pehle 45,000 rupaye dene honge"
    assert "offer.found" in ids(asked(knowledge, text, meant(text, ("agency", NAME))))
