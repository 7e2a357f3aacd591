"""The authors' commands as a person runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.clients.transcriber import SpeechModelError, open_transcriber

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, timeout=50, check=False,
    )  # fmt: skip


def test_check_names_file_and_line_of_every_problem(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "content", tmp_path / "content")
    file = tmp_path / "content" / "messages" / "ta" / "core.yaml"
    words = file.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(words, 1) if line.startswith("  core.yes.label:"))
    words[at - 1] = f'  core.yes.label: "{"x" * 40}"'
    file.write_text("\n".join(words) + "\n", encoding="utf-8")
    done = run("content", "check", SAHYATRI_CONTENT=str(tmp_path / "content"))
    assert done.returncode == 1
    assert f"{file}:{at}: message 'core.yes.label' has 40 characters, at most 24 fit; shorten it" in done.stdout


def test_preview_coverage_and_stale() -> None:
    shown = run("content", "preview", "eshram", "or")
    assert shown.returncode == 0
    assert "===== whatsapp" in shown.stdout
    assert run("content", "preview", "nonsense", "or").returncode == 2
    assert run("content", "preview", "eshram", "xx").returncode == 2
    covered = run("content", "coverage")
    assert "| ta தமிழ் | draft | 100 %" in covered.stdout
    assert run("content", "stale", "--days", "90").returncode in {0, 1}


def test_export_and_import_come_back_whole(tmp_path: Path) -> None:
    sheet = tmp_path / "ne.xlsx"
    assert run("content", "export", "ne", str(sheet)).returncode == 0
    back = run("content", "import", "ne", str(sheet))
    assert back.returncode == 0
    assert "0 messages change" in back.stderr
    refused = run("content", "import", "ne", str(tmp_path / "none.xlsx"))
    assert refused.returncode == 2
    assert "save it as .xlsx" in refused.stderr


@pytest.mark.timeout(120)
def test_speak_prints_size_and_seconds(tmp_path: Path) -> None:
    done = run("content", "speak", "--topic", "eshram", "--lang", "pa", SAHYATRI_DATA=str(tmp_path))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all(line.endswith("s Opus") for line in lines)


def test_a_speech_model_that_is_not_there_is_told_plainly(tmp_path: Path) -> None:
    assert open_transcriber("") is None
    with pytest.raises(SpeechModelError, match=r"model\.bin"):
        open_transcriber(str(tmp_path))
    for name in ("config.json", "model.bin"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(SpeechModelError, match=r"not installed|without faster-whisper"):
        open_transcriber(str(tmp_path))
