"""A phone that somebody else may read: silence that only the person ends, and not knowing who holds the phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogue import answers, waiting
from bot.domain.conversation import Conversation, Erase, Forget, Forward, OpenCase, Tell, Turn
from bot.domain.messages import Carrier, ChannelName, InboundMessage, Reply
from bot.domain.private import Private
from bot.domain.risk import Risk
from bot.domain.words import folded_words

QUIET = "quiet"
HIDE = "hide"
SOMEONE_ELSE = "someone_else"
#: Without a word of their own, these end the silence at once: what anybody might write to a chat about work.
NEUTRAL = frozenset({"menu"})
#: What is written sooner belongs to the same moment ("he is here", "don't reply"); it does not end the silence.
QUIET_AT_LEAST = timedelta(minutes=10)
#: So many wrong words are told to the responders, and each time as many more: somebody may be guessing.
TELL_TRIES = 3
#: The slot of a case under which their number is kept.
TRIES = "word_tries"
#: What is said on hiding: on Telegram nothing, for all of it vanishes.
ON_HIDING = {ChannelName.WHATSAPP: "waiting.hide_phone", ChannelName.WEB: "waiting.cleared"}
#: What nobody but the person themselves may do while their case is open.
OWN = frozenset({"c:delete", "c:delete_yes", "c:fine"})


def wished(conversation: Conversation, picked: str, named: str, risk: Risk) -> bool:
    """Say whether the person asks for silence: by a tap, by a message that says only that, or in words in danger."""
    return picked == waiting.HERE or named == QUIET or (risk.silent and conversation.held)


def begin(conversation: Conversation, now: datetime) -> Turn:
    """Say nothing from now on."""
    silent = replace(conversation, silent=True, silent_since=now, asked_same=False, opted_in=False)
    case = conversation.open_case
    if not case:
        return Turn(silent)
    told = (Tell(case, slot, Private(value)) for slot, value in waiting.TAPS[waiting.HERE].items())
    return Turn(silent, (), (Forward(case), *told))


def ended(conversation: Conversation, message: InboundMessage, named: str, now: datetime) -> bool:
    """Say whether this message ends the silence: only the safe word where there is one."""
    if conversation.safe_word:
        return has_safe_word(conversation, message)
    if named in NEUTRAL or not conversation.open_case:
        return True
    return conversation.silent_since is None or now - conversation.silent_since >= QUIET_AT_LEAST


def has_safe_word(conversation: Conversation, message: InboundMessage) -> bool:
    """Say whether the whole message is the word that the person has set."""
    return bool(conversation.safe_word) and " ".join(folded_words(message.text.reveal())) == conversation.safe_word


def unheard(conversation: Conversation, message: InboundMessage) -> Turn:
    """Hear what does not end the silence, and say nothing; of words tried for the safe word every third is told."""
    tried = 0 < len(folded_words(message.text.reveal())) <= waiting.LONGEST_WORD and not message.choice
    if not conversation.safe_word or not tried or message.carrier is Carrier.EDITED:
        return kept(conversation)
    conversation = replace(conversation, wrong_words=conversation.wrong_words + 1)
    turn, count = kept(conversation), conversation.wrong_words
    if count % TELL_TRIES or not conversation.open_case:
        return turn
    return replace(turn, effects=(*turn.effects, Tell(conversation.open_case, TRIES, Private(str(count)))))


def kept(conversation: Conversation) -> Turn:
    """Hear it, and say nothing."""
    return Turn(conversation, (), (Forward(conversation.open_case),) if conversation.open_case else ())


def hides(picked: str, named: str) -> bool:
    """Say whether the person wants the chat gone from the screen, quickly."""
    return picked == waiting.HIDE or named == HIDE


def hide(conversation: Conversation) -> Turn:
    """Clear the chat where the channel can; where it cannot, say so and how the person can. The case stays open."""
    said = ON_HIDING.get(conversation.channel) if not conversation.silent else None
    later = waiting.HIDDEN if conversation.with_responder else conversation.waiting
    gone = replace(conversation, last_replies=(), offered=(), flow="", slots={}, waiting=later)
    heard = (Forward(conversation.open_case),) if conversation.open_case else ()
    return Turn(gone, (Reply(said),) if said else (), (*heard, Forget()))


def ask_who(conversation: Conversation) -> Turn:
    """Ask, in words that tell nothing, whether it is the same person."""
    asked = replace(conversation, asked_same=True)
    return Turn(asked, (waiting.ask("same"),), (Forward(conversation.open_case),))


def same(conversation: Conversation) -> Turn:
    """It is the same person: go on where we were, beginning with whether they can write."""
    known = replace(conversation, asked_same=False, stranger=False, waiting="safe")
    told = Tell(conversation.open_case, "writer", Private("the same person"))
    return Turn(known, (waiting.ask("safe"),), (Forward(conversation.open_case), told))


def other(conversation: Conversation) -> Turn:
    """It is somebody else: show what everybody is shown."""
    told = Tell(conversation.open_case, "writer", Private("somebody else"))
    unknown = replace(conversation, asked_same=False, stranger=True, opted_in=False)
    return Turn(unknown, (answers.menu(),), (Forward(conversation.open_case), told))


def masked(conversation: Conversation) -> Conversation:
    """Return the conversation as if there were no case: what somebody else is answered from."""
    return replace(
        conversation, open_case="", held=False, reporting=False, claimed=False, minor=False, kept_by_law=False
    )


def unmasked(turn: Turn, conversation: Conversation) -> Turn:
    """Put the case back; what would open another one belongs to it, and nobody else may have it erased."""
    effects = tuple(item for item in turn.effects if not isinstance(item, OpenCase | Erase))
    case = {"open_case": conversation.open_case, "held": conversation.held, "reporting": conversation.reporting}
    back = replace(turn.conversation, claimed=conversation.claimed, minor=conversation.minor, **case)  # type: ignore[arg-type]
    return replace(turn, conversation=back, effects=(*effects, Forward(conversation.open_case)))
