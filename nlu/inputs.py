"""What a model is made of, and its hash: data, settings, components, lexicon and the shared normal form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).resolve().parent
MODELS = HOME / "models"
CURRENT = "current.json"
#: (locale, file, intent, text)
Example = tuple[str, str, str, str]


def files() -> list[Path]:
    """Return every file that decides what is learned, in a fixed order."""
    found = [
        HOME / "config.yml",
        HOME / "domain.yml",
        HOME / "requirements.lock",
        HOME.parent / "bot" / "domain" / "text.py",
    ]
    for pattern in ("data/*/*.yml", "components/*.py", "lexicon/*.yml"):
        found += sorted(HOME.glob(pattern))
    return found


def content_hash() -> str:
    """Return 16 hex digits over all of them."""
    digest = hashlib.sha256()
    for path in files():
        digest.update(str(path.relative_to(HOME.parent)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def text_hash() -> str:
    """Return 16 hex digits over the training examples and the shared normal form, of which the danger check is made."""
    digest = hashlib.sha256()
    normal_form = [HOME.parent / "bot" / "domain" / name for name in ("hunch.py", "text.py", "words.py")]
    for path in [*normal_form, HOME / "danger.py", *sorted(HOME.glob("data/*/*.yml"))]:
        digest.update(str(path.relative_to(HOME.parent)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def current(models: Path = MODELS) -> dict[str, Any] | None:
    """Return what is known of the model in place: its name under "model", counts, scores. None when none is there."""
    try:
        note: dict[str, Any] = json.loads((models / CURRENT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return note if (models / f"{note['model']}.tar.gz").exists() else None


def set_current(note: dict[str, Any], models: Path = MODELS) -> None:
    """Point at the model *note* describes; whole or not at all."""
    fresh = models / f"{CURRENT}.new"
    fresh.write_text(json.dumps(note, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(models / CURRENT)


def intents() -> list[str]:
    """Return the intents of the domain, in order."""
    return [str(name) for name in yaml.safe_load((HOME / "domain.yml").read_text(encoding="utf-8"))["intents"]]


def training() -> list[Example]:
    """Return (locale, file, intent, text) of every training example."""
    rows = []
    for path in sorted(HOME.glob("data/*/*.yml")):
        for block in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("nlu") or []:
            for line in str(block["examples"]).splitlines():
                text = line.strip().removeprefix("-").strip()
                if text:
                    rows.append((path.parent.name, path.name, str(block["intent"]), text))
    return rows


def evaluation() -> list[tuple[str, str, str, str]]:
    """Return (locale, intent, style, text) of every evaluation example."""
    rows = []
    for path in sorted(HOME.glob("evaluation/*.yml")):
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows += [
            (loaded["locale"], str(row["intent"]), str(row["style"]), str(row["text"])) for row in loaded["examples"]
        ]
    return rows
