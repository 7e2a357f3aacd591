"""Guard tests: settings documented, intents agreed, words out of the code, no word classes on what people write."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.config import Config, ConfigError, load_config
from bot.content.load import load
from bot.dialogue.intents import _AS_CHOICE, _PLAIN
from bot.dialogue.safety import DISTRESS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "bot").rglob("*.py"))
INDIAN = re.compile("[\u0900-\u0dff\u0600-\u06ff]")


def intents() -> set[str]:
    return set(yaml.safe_load((ROOT / "nlu" / "domain.yml").read_text(encoding="utf-8"))["intents"])


def test_every_intent_leads_somewhere() -> None:
    """Each of the 95 is danger, a topic, a choice or a plain answer; those without a topic yet are known."""
    content = load(ROOT / "content")
    handled = DISTRESS | set(content.topics) | set(_AS_CHOICE) | set(_PLAIN) | {"check_recruiter"}
    assert len(intents()) == 95
    assert handled <= intents()
    assert len(intents() - handled) <= 8, sorted(intents() - handled)


def test_every_setting_says_what_it_is_for() -> None:
    example = (ROOT / "docker" / "example.env").read_text(encoding="utf-8")
    names = {str(field.alias) for field in Config.model_fields.values()} | {"PUBLIC_HOST"}
    assert all(field.description for field in Config.model_fields.values())
    assert all(line.split("=")[0] in names for line in example.splitlines() if "=" in line and not line.startswith("#"))


def test_all_missing_settings_are_named_at_once() -> None:
    for given, missing in (
        ({"WHATSAPP_TOKEN": "x"}, "WHATSAPP_APP_SECRET"),
        ({"TELEGRAM_TOKEN": "x", "PUBLIC_URL": "https://a.example"}, "TELEGRAM_WEBHOOK_SECRET"),
        ({"ALERT_WEBHOOK_URL": "https://a.example"}, "ALERT_WEBHOOK_SECRET"),
        ({"SAHYATRI_LADDER": "5,1"}, "rising"),
        ({"TELEGRAM_WEBHOOK_SECRET": "abc"}, "TELEGRAM_WEBHOOK_SECRET: Value error, needs at least 16"),
        ({"TELEGRAM_WEBHOOK_SECRET_OLD": "abc"}, "TELEGRAM_WEBHOOK_SECRET_OLD: Value error, needs at least 16"),
        ({"WHATSAPP_VERIFY_TOKEN": "x" * 15}, "WHATSAPP_VERIFY_TOKEN: Value error, needs at least 16"),
        ({"ALERT_WEBHOOK_SECRET": "x"}, "ALERT_WEBHOOK_SECRET: Value error, needs at least 16"),
        ({"PUBLIC_URL": "https://a.example", "SAHYATRI_LOG_LEVEL": "DEBUG"}, "SAHYATRI_LOG_LEVEL is DEBUG"),
    ):
        try:
            load_config(**given)
        except ConfigError as error:
            assert missing in str(error)
        else:
            raise AssertionError(f"{given} was taken")


def test_secrets_of_our_own_may_be_as_short_as_sixteen() -> None:
    """J9; and nobody is told their secret by an error."""
    names = ("TELEGRAM_WEBHOOK_SECRET", "WHATSAPP_VERIFY_TOKEN", "ALERT_WEBHOOK_SECRET")
    assert load_config(ALERT_WEBHOOK_SECRET="x" * 16, TELEGRAM_WEBHOOK_SECRET="x" * 16)
    assert load_config(SAHYATRI_LOG_LEVEL="DEBUG").log_level == "DEBUG"
    for name in names:
        with pytest.raises(ConfigError) as refused:
            load_config(**{name: "not-to-be-told"})
        assert "not-to-be-told" not in str(refused.value)


def test_words_live_in_content() -> None:
    """Scripts appear in code only where names and letters are tables."""
    allowed = {"bot/domain/text.py", "bot/trial/writing.py", "bot/content/render.py"}
    found = {str(path.relative_to(ROOT)) for path in SOURCES if INDIAN.search(path.read_text(encoding="utf-8"))}
    assert found <= allowed, found - allowed


def test_no_word_class_on_what_people_write() -> None:
    pattern = re.compile(r"re\.(?:compile|search|match|findall|sub|split)\(.*\\[bw]")
    for folder in ("dialogue", "recruiters", "domain"):
        for path in (ROOT / "bot" / folder).glob("*.py"):
            assert not pattern.search(path.read_text(encoding="utf-8")), path


def test_nothing_unfinished_is_left() -> None:
    for path in SOURCES:
        assert not re.search(r"TODO|FIXME|NotImplementedError", path.read_text(encoding="utf-8")), path


def test_lock_files_name_no_host() -> None:
    for path in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock", ROOT / "nlu" / "requirements.lock"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text and "://" not in text


def test_config_hides_secrets() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "config"], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "TELEGRAM_TOKEN": "123:secret-token"},
    )  # fmt: skip
    assert "secret-token" not in done.stdout and "(hidden)" in done.stdout
