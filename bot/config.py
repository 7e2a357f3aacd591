"""Every setting: its name, default and what it is for. Values come from the environment; secrets hide in `repr`."""

from __future__ import annotations

import re
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.attending import Patience
from bot.domain.contact import read_templates
from bot.domain.quota import DEFAULT_FILES, DEFAULT_HELD, DEFAULT_VOICE, Quotas, read_quota

ROOT = Path(__file__).resolve().parent.parent
#: Characters of a secret that we choose ourselves.
SHORTEST_SECRET = 16


class ConfigError(Exception):
    """Settings that cannot be used; one line per problem, all of them at once."""


class Config(BaseSettings):
    """Frozen settings. An empty address for MongoDB or the NLU means: start our own."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    data: Path = Field(Path("var"), alias="SAHYATRI_DATA", description="folder for the database, keys, spool and logs")
    content: Path = Field(ROOT / "content", alias="SAHYATRI_CONTENT", description="folder of the content")
    nlu_home: Path = Field(ROOT / "nlu", alias="SAHYATRI_NLU_HOME", description="folder of the NLU project")
    host: str = Field("127.0.0.1", alias="SAHYATRI_HOST", description="address to listen on")
    port: int = Field(8080, alias="SAHYATRI_PORT", ge=0, le=65535, description="port to listen on")
    public_url: str = Field(
        "",
        alias="PUBLIC_URL",
        description="https address people reach; Telegram then uses a webhook, see TELEGRAM_MODE",
    )
    proxies: str = Field(
        "",
        alias="SAHYATRI_PROXIES",
        description="networks of our own TLS proxy, whose word on a visitor's address counts; such as 172.16.0.0/12",
    )
    mongodb_uri: SecretStr = Field(
        SecretStr(""), alias="MONGODB_URI", description="MongoDB replica set; empty: start our own"
    )
    mongodb_name: str = Field("sahyatri", alias="MONGODB_NAME", description="name of the database")
    mongod_port: int = Field(0, alias="SAHYATRI_MONGOD_PORT", description="port of our own mongod; 0: any free one")
    nlu_url: str = Field("", alias="NLU_URL", description="address of the NLU server; empty: start our own")
    nlu_token: SecretStr = Field(SecretStr(""), alias="NLU_TOKEN", description="shared token of the NLU server")
    telegram_token: SecretStr = Field(SecretStr(""), alias="TELEGRAM_TOKEN", description="bot token from BotFather")
    telegram_mode: Literal["", "webhook", "polling"] = Field(
        "",
        alias="TELEGRAM_MODE",
        description="how messages come: webhook or polling; empty: webhook where PUBLIC_URL is set, else polling",
    )
    telegram_secret: SecretStr = Field(
        SecretStr(""),
        alias="TELEGRAM_WEBHOOK_SECRET",
        description="webhook secret, at least 16 of A-Z a-z 0-9 _ -; needed for a webhook",
    )
    telegram_secret_old: SecretStr = Field(
        SecretStr(""), alias="TELEGRAM_WEBHOOK_SECRET_OLD", description="former webhook secret, valid while rotating"
    )
    telegram_api_url: str = Field("https://api.telegram.org", alias="TELEGRAM_API_URL", description="Bot API address")
    telegram_bot_name: str = Field("", alias="TELEGRAM_BOT_NAME", description="the bot's @name, for links on /q/<code>")
    telegram_responders_chat: str = Field(
        "", alias="TELEGRAM_RESPONDERS_CHAT", description="chat id of the responders' group, for pages"
    )
    telegram_topics: bool = Field(
        default=False,
        alias="TELEGRAM_TOPICS",
        description="1: what is said in a claimed case is copied into a topic of the responders' group, so Telegram's "
        "servers hold it until the topic is deleted; 0: Telegram gets case numbers and buttons only (docs/telegram.md)",
    )
    telegram_topics_hours: float = Field(
        24.0,
        alias="TELEGRAM_TOPICS_HOURS",
        ge=0,
        description="hours after a topic is closed until it is deleted with all its messages",
    )
    whatsapp_token: SecretStr = Field(
        SecretStr(""), alias="WHATSAPP_TOKEN", description="access token of the Cloud API"
    )
    whatsapp_phone_id: str = Field("", alias="WHATSAPP_PHONE_NUMBER_ID", description="phone number id of the Cloud API")
    whatsapp_app_secret: SecretStr = Field(
        SecretStr(""), alias="WHATSAPP_APP_SECRET", description="app secret that signs webhooks"
    )
    whatsapp_app_secret_old: SecretStr = Field(
        SecretStr(""), alias="WHATSAPP_APP_SECRET_OLD", description="former app secret, valid while rotating"
    )
    whatsapp_verify_token: SecretStr = Field(
        SecretStr(""),
        alias="WHATSAPP_VERIFY_TOKEN",
        description="token for the webhook's GET verification, at least 16 characters",
    )
    whatsapp_per_second: int = Field(
        80, alias="WHATSAPP_PER_SECOND", ge=2, description="messages a second that Meta allows the number, in and out"
    )
    whatsapp_people_a_day: int = Field(
        0,
        alias="WHATSAPP_PEOPLE_A_DAY",
        ge=0,
        description="people a day we may write to first; 0: as Meta says of the number, and 250 until it has",
    )
    telegram_per_second: int = Field(
        30, alias="TELEGRAM_PER_SECOND", ge=2, description="messages a second that Telegram allows the bot"
    )
    whatsapp_api_url: str = Field(
        "https://graph.facebook.com/v23.0", alias="WHATSAPP_API_URL", description="Cloud API address with version"
    )
    whatsapp_account_id: str = Field(
        "", alias="WHATSAPP_BUSINESS_ACCOUNT_ID", description="WhatsApp Business account, for `whatsapp setup`"
    )
    whatsapp_template: str = Field(
        "", alias="WHATSAPP_TEMPLATE", description="approved greeting for those who agreed to it; empty: none is sent"
    )
    whatsapp_prove: bool = Field(
        default=False,
        alias="WHATSAPP_PROVE",
        description="1: send the proof of the app secret with each call; needed where the app requires it",
    )
    whatsapp_number: str = Field(
        "", alias="WHATSAPP_NUMBER", description="the number people write to, for links on /q/<code>"
    )
    exit_url: str = Field(
        "https://www.wikipedia.org/",
        alias="SAHYATRI_EXIT_URL",
        description="harmless page to which leaving the web chat leads",
    )
    unsure_after: float = Field(
        600.0,
        alias="SAHYATRI_UNSURE_AFTER",
        ge=0,
        description="silence after an unanswered question whether help is needed, until responders are told; 0: never",
    )
    alert_webhook_url: str = Field(
        "", alias="ALERT_WEBHOOK_URL", description="address that gets a signed page for each case"
    )
    alert_webhook_secret: SecretStr = Field(
        SecretStr(""), alias="ALERT_WEBHOOK_SECRET", description="key of its signature, at least 16 characters"
    )
    alert_email_to: str = Field("", alias="ALERT_EMAIL_TO", description="address that gets an e-mail for each case")
    alert_email_from: str = Field("", alias="ALERT_EMAIL_FROM", description="sender of those e-mails")
    data_officer_email: str = Field(
        "",
        alias="DATA_OFFICER_EMAIL",
        description="address that hears of every break-glass; empty: all channels for pages do",
    )
    smtp_host: str = Field("", alias="SMTP_HOST", description="mail server for pages")
    smtp_port: int = Field(587, alias="SMTP_PORT", description="its port")
    smtp_user: str = Field("", alias="SMTP_USER", description="its user")
    smtp_password: SecretStr = Field(SecretStr(""), alias="SMTP_PASSWORD", description="its password")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", alias="SMTP_TLS", description="its encryption")
    ladder: str = Field("60,180,300", alias="SAHYATRI_LADDER", description="seconds to each rung for an unclaimed case")
    page_again: float = Field(
        600.0,
        alias="SAHYATRI_PAGE_AGAIN",
        ge=1,
        description="seconds after which the last page about an unclaimed case of danger is repeated, again and again",
    )
    owner_clock: str = Field(
        "300,900,60,180,120",
        alias="SAHYATRI_OWNER_CLOCK",
        description="seconds in which who has a case must give a first answer, read later words, read new danger, open "
        "a case they were given; then the seconds from one page to the next (docs/paging.md)",
    )
    cases_each: int = Field(
        5,
        alias="SAHYATRI_CASES_EACH",
        ge=1,
        description="open cases of one responder from which the console warns before another is taken",
    )
    canary_every: float = Field(
        0.0,
        alias="SAHYATRI_CANARY_EVERY",
        ge=0,
        description="seconds between made-up cries for help that test the alert channels; 0: none; `up` takes 300",
    )
    cases_read: int = Field(
        60,
        alias="SAHYATRI_CASES_READ",
        ge=1,
        description="different cases that one person opens in an hour before those of others need a second person",
    )
    workers: int = Field(8, alias="SAHYATRI_WORKERS", ge=1, le=64, description="conversations answered side by side")
    lists_kept: int = Field(
        5, alias="SAHYATRI_LISTS_KEPT", ge=2, le=1000, description="versions of each list of recruiters kept with rows"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="SAHYATRI_LOG_LEVEL", description="log level; DEBUG only where PUBLIC_URL is empty"
    )
    translate: bool = Field(
        default=False,
        alias="SAHYATRI_TRANSLATE",
        description="1: Google may translate answers about schemes and papers, when a person asks for it",
    )
    translate_cases: bool = Field(
        default=False,
        alias="SAHYATRI_TRANSLATE_CASES",
        description="1: Google may translate what people in danger write, when a responder asks for it",
    )
    whatsapp_templates: str = Field(
        "",
        alias="WHATSAPP_TEMPLATES",
        description="templates approved for WhatsApp, as name:locale,name:locale; words: waiting.first.<name>",
    )
    speech_model: str = Field(
        "", alias="SAHYATRI_SPEECH_MODEL", description="faster-whisper model directory; empty: voice notes go to people"
    )
    read_images: Literal["auto", "off"] = Field(
        "auto",
        alias="SAHYATRI_READ_IMAGES",
        description="auto: words in pictures are read where tesseract is installed; off: pictures go to people",
    )
    files_each: str = Field(
        DEFAULT_FILES,
        alias="SAHYATRI_FILES_EACH",
        description="pictures and papers of one person that are fetched: files/MB an hour, files/MB a day",
    )
    voice_each: str = Field(
        DEFAULT_VOICE, alias="SAHYATRI_VOICE_EACH", description="the same for voice notes, which count apart"
    )
    newcomers: int = Field(
        300,
        alias="SAHYATRI_NEWCOMERS",
        ge=2,
        description="new people a minute who are answered in full, half of them at once; more get the helplines first",
    )
    files_held: int = Field(
        DEFAULT_HELD,
        alias="SAHYATRI_FILES_HELD",
        ge=1,
        description="how many times as many while a responder has the person's case",
    )
    report_days: int = Field(
        730,
        alias="SAHYATRI_REPORT_DAYS",
        ge=1,
        description="days for which a report about a recruiter is kept and counts",
    )
    chat_days: int = Field(
        30,
        alias="SAHYATRI_CHAT_DAYS",
        ge=1,
        description="days for which words and files are kept that belong to no case; then they are erased",
    )
    case_days: int = Field(
        1095,
        alias="SAHYATRI_CASE_DAYS",
        ge=8,
        description="days for which a case is kept after it was closed, unless a law keeps it; then it is erased",
    )
    reports_needed: int = Field(
        3,
        alias="SAHYATRI_REPORTS_NEEDED",
        ge=2,
        description="independent reports without which no history changes an answer",
    )
    most_shared: int = Field(
        40,
        alias="SAHYATRI_MOST_SHARED",
        ge=2,
        description="a number that more people report links nobody until a supervisor says so",
    )
    spool_after: float = Field(
        0.4, alias="SAHYATRI_SPOOL_AFTER", gt=0, description="seconds until the spool takes over"
    )

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in filter(None, value.replace(",", " ").split()):
            ip_network(part, strict=False)
        return value

    @field_validator("ladder")
    @classmethod
    def _rungs(cls, value: str) -> str:
        try:
            rungs = [float(part) for part in value.split(",")]
        except ValueError:
            rungs = []
        if not rungs or rungs != sorted(rungs) or rungs[0] <= 0:
            raise ValueError("needs rising seconds such as 60,180,300")
        return value

    @field_validator("files_each", "voice_each")
    @classmethod
    def _quota(cls, value: str) -> str:
        read_quota(value)
        return value

    @field_validator("owner_clock")
    @classmethod
    def _patience(cls, value: str) -> str:
        Patience.read(value)
        return value

    @field_validator("telegram_secret", "telegram_secret_old")
    @classmethod
    def _header(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _TELEGRAM_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("may have 1 to 256 of A-Z a-z 0-9 _ - and nothing else")
        return value

    @field_validator("telegram_secret", "telegram_secret_old", "whatsapp_verify_token", "alert_webhook_secret")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr) -> SecretStr:
        """Of our own secrets nobody else sees to it."""
        if value.get_secret_value() and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"needs at least {SHORTEST_SECRET} characters; make one: openssl rand -hex 24")
        return value

    @field_validator("exit_url")
    @classmethod
    def _page(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("needs a web address such as https://www.wikipedia.org/")
        return value

    @field_validator("whatsapp_templates")
    @classmethod
    def _templates(cls, value: str) -> str:
        read_templates(value)
        return value

    @model_validator(mode="after")
    def _together(self) -> Config:
        for needed, given in _MISSING_TOGETHER:
            if any(_set(self, name) for name in given) and not all(_set(self, name) for name in needed):
                names = ", ".join(alias_of(name) for name in needed if not _set(self, name))
                raise ValueError(
                    f"{names} missing: needed because {', '.join(alias_of(name) for name in given)} is set"
                )
        if self.telegram_mode == "webhook" and not self.public_url:
            raise ValueError("PUBLIC_URL missing: TELEGRAM_MODE is webhook, and Telegram must reach this server")
        if not self.telegram_polls and _set(self, "telegram_token") and not _set(self, "telegram_secret"):
            raise ValueError(
                "TELEGRAM_WEBHOOK_SECRET missing: a webhook without a secret would take anybody's messages"
            )
        if self.telegram_topics and not self.telegram_responders_chat.lstrip("-").isdigit():
            raise ValueError("TELEGRAM_RESPONDERS_CHAT must be a number such as -1001234567890 for TELEGRAM_TOPICS")
        if self.public_url and not self.public_url.startswith("https://"):
            raise ValueError("PUBLIC_URL must begin with https://")
        if self.public_url and self.log_level == "DEBUG":
            raise ValueError("SAHYATRI_LOG_LEVEL is DEBUG: not where people write to us (PUBLIC_URL is set); take INFO")
        return self

    @property
    def telegram_polls(self) -> bool:
        """Whether we ask Telegram for messages; else Telegram brings them to our webhook."""
        return self.telegram_mode == "polling" or not (self.telegram_mode or self.public_url)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The proxies whose word counts."""
        return tuple(ip_network(part, strict=False) for part in self.proxies.replace(",", " ").split())

    @property
    def quotas(self) -> Quotas:
        """What one person may send."""
        return Quotas(read_quota(self.files_each), read_quota(self.voice_each), self.files_held)

    @property
    def rungs(self) -> tuple[float, ...]:
        """The ladder as seconds."""
        return tuple(float(part) for part in self.ladder.split(","))


_TELEGRAM_SECRET = re.compile("[A-Za-z0-9_-]{1,256}")
_WHATSAPP = ("whatsapp_token", "whatsapp_phone_id", "whatsapp_app_secret", "whatsapp_verify_token")
_MISSING_TOGETHER: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (_WHATSAPP, _WHATSAPP),
    (("alert_webhook_secret",), ("alert_webhook_url",)),
    (("alert_email_to", "alert_email_from", "smtp_host"), ("alert_email_to",)),
    (("telegram_token",), ("telegram_responders_chat",)),
    (("alert_email_from", "smtp_host"), ("data_officer_email",)),
    (("telegram_responders_chat",), ("telegram_topics",)),
)


def load_config(**given: object) -> Config:
    """Read the environment; *given* wins. Raise `ConfigError` with every problem at once."""
    try:
        return Config(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'settings'}: {item['msg']}" for item in error.errors()
        ]
        raise ConfigError("\n".join(lines)) from error


def alias_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return str(Config.model_fields[name].alias)


def show(config: Config, environment: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """Return (variable, value with secrets hidden, source, purpose) for every setting."""
    rows = []
    for name, field in Config.model_fields.items():
        value = getattr(config, name)
        shown = ("(hidden)" if value.get_secret_value() else "") if isinstance(value, SecretStr) else str(value)
        source = "environment" if alias_of(name) in environment else "default"
        rows.append((alias_of(name), shown or "(not set)", source, str(field.description)))
    return rows


def new_token() -> str:
    """Return a fresh secret for things we start ourselves."""
    return secrets.token_urlsafe(24)


def _set(config: Config, name: str) -> bool:
    value = getattr(config, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
