"""Who looks after how we stand with each platform that is configured."""

from __future__ import annotations

from collections.abc import Sequence

from bot.app import Service
from bot.channels.telegram_health import TelegramDelivery
from bot.channels.telegram_profile import WEBHOOK_PATH
from bot.channels.telegram_updates import NEEDED
from bot.channels.whatsapp import proof_of
from bot.channels.whatsapp_account import Cloud
from bot.channels.whatsapp_health import NumberStanding
from bot.domain.messages import ChannelName
from bot.service.health import DeliveryWatch, Expected, NumberWatch, PlatformWatch


def watches(service: Service) -> Sequence[PlatformWatch]:
    """Return one for a Telegram webhook and one for a WhatsApp number; who polls knows by itself what waits."""
    found: list[PlatformWatch] = []
    config, notes, operator = service.config, service.health, service.operator
    if service.bot and not config.telegram_polls and config.public_url:
        expected = Expected(config.public_url.rstrip("/") + WEBHOOK_PATH, NEEDED)
        ask = TelegramDelivery(service.bot)
        found.append(DeliveryWatch(ChannelName.TELEGRAM, ask, expected, notes, operator, service.now))
    if config.whatsapp_token.get_secret_value():
        standing = NumberStanding(_cloud(service))
        found.append(NumberWatch(ChannelName.WHATSAPP, standing, notes, operator, service.now))
    return found


def _cloud(service: Service) -> Cloud:
    config = service.config
    token, secret = config.whatsapp_token.get_secret_value(), config.whatsapp_app_secret.get_secret_value()
    proof = proof_of(token, secret) if config.whatsapp_prove else ""
    return Cloud(
        service.http,
        config.whatsapp_api_url,
        token,
        secret,
        config.whatsapp_phone_id,
        config.whatsapp_account_id,
        proof,
    )
