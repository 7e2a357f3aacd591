"""What each error code of the Cloud API means for us: the table of send outcomes, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from bot.ports import ChannelError

ADDRESS: Final = "address"
ACCOUNT: Final = "account"
TOO_MANY: Final = 429
REFUSED: Final = 401
BROKEN: Final = 500
#: Seconds to wait where the platform names none.
THROTTLED: Final = 5.0
OPERATOR_NEEDED: Final = 60.0
SPAM_LIMIT: Final = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a code leads to; the fields are those of `ChannelError`."""

    retryable: bool = False
    retry_after: float = 0.0
    pause: str = ""
    account: bool = False
    gone: bool = False
    closed: bool = False
    alarm: bool = False


_THROTTLE = Outcome(retryable=True, retry_after=THROTTLED, pause=ACCOUNT)
_PAIR = Outcome(retryable=True, pause=ADDRESS)
_SPAM = Outcome(retryable=True, retry_after=SPAM_LIMIT, pause=ACCOUNT, account=True)
_FAULT = Outcome(retryable=True, retry_after=OPERATOR_NEEDED, pause=ACCOUNT, account=True)
_AGAIN = Outcome(retryable=True)
_OURS = Outcome(alarm=True)

#: The platform's codes → what they lead to. Codes in the ranges below it are looked up there.
OUTCOMES: Final[Mapping[int, Outcome]] = {
    **dict.fromkeys((4, 80007, 130429, 133016), _THROTTLE),
    131056: _PAIR,
    **dict.fromkeys((131048, 131064), _SPAM),
    131047: Outcome(closed=True),
    131026: Outcome(gone=True),
    **dict.fromkeys((131049, 130472, 131050), _OURS),
    **dict.fromkeys((131051, 131009, 131008), _OURS),
    **dict.fromkeys((131052, 131053), _AGAIN),
    **dict.fromkeys((368, 131031, 130497, 190, 10, 131005, 131042), _FAULT),
    **dict.fromkeys((1, 2, 131000, 131016), _AGAIN),
}
_RANGES: Final = ((range(200, 300), _FAULT), (range(132000, 133000), _OURS))
#: The platform does not take the shape of a message: its plain words may still pass.
SHAPE: Final = frozenset({100, 131008, 131009, 131051})
#: The file that a message names is not there (any more), or could not be taken.
NO_FILE: Final = frozenset({100, 131009, 131052, 131053})
#: Reported afterwards, each of these leaves the plain words of the message to be tried.
PLAIN: Final = SHAPE | NO_FILE


def outcome(code: object, status: int = 0) -> Outcome:
    """Return what *code* leads to; a code that is not in the table is judged by the HTTP *status*."""
    if isinstance(code, int):
        if code in OUTCOMES:
            return OUTCOMES[code]
        for codes, found in _RANGES:
            if code in codes:
                return found
    if status == TOO_MANY:
        return _THROTTLE
    if status == REFUSED:
        return _FAULT
    return _AGAIN if status >= BROKEN else _OURS


def code_of(answer: object) -> int | None:
    """Return the code of an error answer."""
    fault = answer.get("error") if isinstance(answer, dict) else None
    code = fault.get("code") if isinstance(fault, dict) else None
    return code if isinstance(code, int) else None


def channel_error(status: int, answer: object, wait: str = "") -> ChannelError:
    """Turn an error answer into ours; *wait* is its Retry-After header."""
    code = code_of(answer)
    found = outcome(code, status)
    seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) <= 5 else 0.0  # noqa: PLR2004
    fields: dict[str, Any] = asdict(found) | {"retry_after": max(found.retry_after, seconds)}
    return ChannelError(f"whatsapp:{code or status}", **fields)
