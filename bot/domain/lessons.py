"""Small lessons, one a day: when the next one comes, and what became of those that were sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

#: Lessons come by day. The whole of India has one time, without summer time.
INDIA = timezone(timedelta(hours=5, minutes=30))
FIRST_HOUR = 9
LAST_HOUR = 19
#: Groups with fewer people than this are not shown by themselves.
FEWEST = 11


def next_day(now: datetime) -> datetime:
    """Return when the next lesson comes: about this time tomorrow, between nine and seven o'clock by Indian time."""
    tomorrow = now.astimezone(INDIA) + timedelta(days=1)
    if tomorrow.hour < FIRST_HOUR:
        tomorrow = tomorrow.replace(hour=FIRST_HOUR, minute=0)
    elif tomorrow.hour >= LAST_HOUR:
        tomorrow = tomorrow.replace(hour=LAST_HOUR, minute=0)
    return tomorrow.astimezone(now.tzinfo)


@dataclass(frozen=True, slots=True)
class LessonCount:
    """What became of one lesson in one locale ("" for all): messages sent, delivered, read, failed; answers by kind."""

    course: str
    number: int
    locale: str
    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    right: int = 0
    wrong: int = 0
