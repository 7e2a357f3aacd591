"""WhatsApp's own report of our number: whether it is connected, how people rate it, how many we may write first."""

from __future__ import annotations

from typing import Final

from bot.channels.whatsapp_account import AccountFault, Cloud
from bot.channels.whatsapp_inbound import text
from bot.domain.health import Standing
from bot.ports import ChannelError

#: Where the limit stands: from version 24 of the interface on, and before.
LIMITS: Final = ("whatsapp_business_manager_messaging_limit", "messaging_limit_tier")


class NumberStanding:
    """`bot.ports.NumberLook` for WhatsApp."""

    def __init__(self, cloud: Cloud) -> None:  # noqa: D107
        self._cloud = cloud

    async def __call__(self) -> Standing:
        """Ask. Raise `ChannelError`."""
        try:
            found = await self._cloud.get(self._cloud.phone_id, fields="quality_rating,status")
        except AccountFault as error:
            raise ChannelError("whatsapp:record", retryable=True) from error
        return Standing(text(found.get("status")), text(found.get("quality_rating")), await limit_of(self._cloud))


async def limit_of(cloud: Cloud) -> str:
    """Return the limit's name ("TIER_2K"), "" if the platform does not say; a version refuses the other's field."""
    for name in LIMITS:
        try:
            found = text((await cloud.get(cloud.phone_id, fields=name)).get(name))
        except AccountFault:
            continue
        if found:
            return found
    return ""
