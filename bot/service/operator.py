"""Whoever runs the service is told, once for each time, what only they can mend: a platform refuses us, a crowd."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.domain.messages import ChannelName
from bot.ports import CHANNEL_FAULT, Alert, Alerts

log = logging.getLogger(__name__)


class Operator:
    """Pages on every alert channel but the console, which is not the operator's."""

    def __init__(self, alerts: Alerts, pagers: Sequence[str], now: Callable[[], datetime]) -> None:
        """*pagers*: names of the alert channels."""
        self._alerts = alerts
        self._pagers = tuple(name for name in pagers if name != "console")
        self._now = now

    async def tell(self, channel: ChannelName, reason: str) -> int:
        """Page about *reason*, a short code without anybody's words; a second time on the same day does nothing."""
        now = self._now()
        log.error("the channel refuses us; an operator must act", extra={"channel": channel.value, "reason": reason})
        told = {"channel": channel.value, "reason": reason}
        return await self._add(CHANNEL_FAULT, channel.value, f"{reason}:{now.date()}", told, reason)

    async def warn(self, kind: str, source: str, number: str, values: Mapping[str, str]) -> int:
        """Page about one of `FOR_OPERATORS`; a second time with the same *number* does nothing.

        *source*: the channel it is about, or "all"; *values* fill its words and hold nobody's.
        """
        log.error("an operator must look", extra={"kind": kind, "source": source, **values})
        return await self._add(kind, source, f"{source}:{number}", values, kind)

    async def today(self, kind: str, source: str, values: Mapping[str, str]) -> int:
        """Page about it once a day."""
        return await self.warn(kind, source, str(self._now().date()), values)

    async def _add(self, kind: str, source: str, number: str, values: Mapping[str, str], reason: str) -> int:
        alerts = [
            Alert(f"{kind}:{number}:{pager}", "", pager, kind, reason, "en", 0, source, values)
            for pager in self._pagers
        ]
        return await self._alerts.add(alerts, self._now())
