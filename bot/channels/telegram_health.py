"""Telegram's own report of how it brings us messages (`getWebhookInfo`)."""

from __future__ import annotations

from telegram import Bot
from telegram.error import TelegramError

from bot.channels.telegram_errors import channel_error
from bot.domain.health import Delivery


class TelegramDelivery:
    """`bot.ports.DeliveryLook` for Telegram."""

    def __init__(self, bot: Bot) -> None:  # noqa: D107
        self._bot = bot

    async def __call__(self) -> Delivery:
        """Ask. Raise `ChannelError`."""
        try:
            info = await self._bot.get_webhook_info()
        except TelegramError as error:
            raise channel_error(error) from error
        kinds = tuple(info.allowed_updates or ())
        error_at, said = info.last_error_date, info.last_error_message or ""
        return Delivery(info.url, info.pending_update_count, error_at, said, kinds)
