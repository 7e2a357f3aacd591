"""Everything that a port raises and more than one floor must know."""

from __future__ import annotations


class ChannelError(Exception):
    """A send that failed; says whether trying again can help.

    retryable: the same message may be sent again. unknown: the bytes left but no answer came, so it may have arrived.
    retry_after: seconds the channel asked for. reason: a short code for the log, never a person's words.
    account: the fault is the whole account's (token, ban), so an operator must be told. alarm: the fault is ours or
    of a template: only this message is lost, and an operator must be told. gone: nothing reaches this person until
    they write. closed: the channel takes words of our own only after the person has written. pause: who must be left
    in peace for *retry_after* seconds: "" nobody, "address" this contact, "account" everybody. silent: nothing answered
    in time.
    """

    def __init__(  # noqa: D107, PLR0913
        self,
        reason: str,
        *,
        retryable: bool,
        unknown: bool = False,
        retry_after: float = 0.0,
        account: bool = False,
        gone: bool = False,
        pause: str = "",
        closed: bool = False,
        alarm: bool = False,
        silent: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.unknown = unknown
        self.retry_after = retry_after
        self.account = account
        self.gone = gone
        self.pause = pause
        self.closed = closed
        self.alarm = alarm
        self.silent = silent


class TooLarge(ChannelError):
    """A file at the channel is larger than was asked for: it never comes, however often it is asked for."""

    def __init__(self, channel: str) -> None:  # noqa: D107
        super().__init__(f"{channel}:too_large", retryable=False)


class GroupBroken(ChannelError):
    """Nothing can be done in the responders' group until an administrator acts; `reason` says why."""

    def __init__(self, reason: str) -> None:  # noqa: D107
        super().__init__(reason, retryable=False)


class GroupMoved(ChannelError):
    """The group has another chat id now: the same call may be made there."""

    def __init__(self, chat: str) -> None:  # noqa: D107
        super().__init__("group:moved", retryable=True)
        self.chat = chat


class TopicGone(ChannelError):
    """Somebody has deleted this topic, or this message."""

    def __init__(self) -> None:  # noqa: D107
        super().__init__("group:topic_gone", retryable=False)


class StoreUnavailable(Exception):
    """The database did not answer in time; nothing was changed that we know of."""


class VersionClash(Exception):
    """Somebody else committed this conversation first; load it again and decide again."""


class SpeechFailed(Exception):
    """Words that could not be spoken; they are written instead."""


class CopyFailed(Exception):
    """No clean copy can be made; `why` is the id of words that say so: `unreadable`, `too_many_pixels`, `too_long`."""

    def __init__(self, why: str) -> None:  # noqa: D107
        super().__init__(why)
        self.why = why


class NotOwner(Exception):
    """Somebody else has this case."""
