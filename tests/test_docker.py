"""What can be checked of the images without an engine: what they copy is there and is enough, nobody runs as root."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.clients.reader import LANGUAGES
from bot.content.load import load

ROOT = Path(__file__).resolve().parent.parent
IMAGES = sorted((ROOT / "docker").glob("*.Dockerfile"))
NLU_PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"
LEFT_OUT = shutil.ignore_patterns(".venv", "models", "__pycache__")


def copied(image: Path) -> list[str]:
    """The paths that an image copies from the repository."""
    lines = [line.split()[1:] for line in image.read_text(encoding="utf-8").splitlines() if line.startswith("COPY ")]
    return [path for line in lines for path in line[:-1] if not path.startswith("--")]


@pytest.mark.parametrize("image", IMAGES, ids=[image.stem for image in IMAGES])
def test_an_image_is_unprivileged_checked_and_whole(image: Path) -> None:
    text = image.read_text(encoding="utf-8")
    assert re.search(r"^USER \d+$", text, re.MULTILINE) and "HEALTHCHECK" in text and "--require-hashes" in text
    assert all((ROOT / path).exists() for path in copied(image)), copied(image)


def test_the_nlu_image_has_all_that_its_programs_import(tmp_path: Path) -> None:
    """The trainer and the server are imported where only the copied files are."""
    for path in copied(ROOT / "docker" / "nlu.Dockerfile"):
        source, target = ROOT / path, tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_OUT, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    code = "import nlu.train, nlu.server, nlu.evaluate, nlu.danger; nlu.evaluate.load_danger(nlu.evaluate.DANGER)"
    done = subprocess.run([NLU_PYTHON, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_image_reads_pictures_in_every_language_that_the_reader_knows() -> None:
    """By the names of Debian's packages."""
    text = (ROOT / "docker" / "bot.Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"tesseract-ocr-([a-z]{3})\b", text)) == set(LANGUAGES.values())
    assert {LANGUAGES[code] for code in load(ROOT / "content").locales} == set(LANGUAGES.values())


def test_compose_names_what_it_must() -> None:
    """Three members, secrets demanded, health awaited, a database that nobody outside reaches."""
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert {"mongo1", "mongo2", "mongo3", "nlu", "bot", "proxy"} <= set(services)
    assert services["bot"]["environment"]["MONGODB_URI"].endswith("?replicaSet=sahyatri")
    assert services["bot"]["depends_on"]["nlu"]["condition"] == "service_healthy"
    for name in ("mongo1", "nlu"):
        assert services[name]["networks"] == ["inside"] and "ports" not in services[name]
