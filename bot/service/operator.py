"""Whoever runs the service is told once a day that a platform refuses us, and why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
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
        alerts = [
            Alert(
                f"{CHANNEL_FAULT}:{reason}:{now.date()}:{pager}", "", pager, CHANNEL_FAULT, reason, "en", 0,
                channel.value, {"channel": channel.value, "reason": reason},
            )
            for pager in self._pagers
        ]  # fmt: skip
        return await self._alerts.add(alerts, now)
