"""Train the model if its inputs have changed: `python nlu/train.py [--force]`. Reproducible from the seed in the config."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
# Rasa's cache does not notice a change in a module that a component imports: it would hand back the former model.
os.environ["RASA_MAX_CACHE_SIZE"] = "0"
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from nlu import inputs  # noqa: E402

VERSIONS_OF = ("rasa", "scikit-learn", "numpy")


def main() -> int:
    """Return 0 when a model of the present inputs is there afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="train even if nothing has changed")
    force = parser.parse_args().force
    name = inputs.content_hash()
    there = inputs.current()
    if not force and there is not None and there["model"] == name:
        print(f"the model {name} fits the present data", flush=True)
        return 0
    examples = Counter(row[0] for row in inputs.training())
    counts = ", ".join(f"{locale} {count}" for locale, count in sorted(examples.items()))
    print(f"training {name} on {sum(examples.values())} examples ({counts}) …", flush=True)
    started = time.monotonic()
    _train(name)
    seconds = round(time.monotonic() - started, 1)
    inputs.set_current(_note(name, examples, seconds))
    _score()
    for old in inputs.MODELS.glob("*.tar.gz"):
        if old.name != f"{name}.tar.gz":
            old.unlink()
    print(f"trained {name} in {seconds} s", flush=True)
    return 0


def _note(name: str, examples: Counter[str], seconds: float) -> dict[str, Any]:
    """What `/status` shows of the model; `evaluate.py` adds its scores."""
    return {
        "model": name,
        "examples": sum(examples.values()),
        "examples_by_locale": dict(sorted(examples.items())),
        "locales": sorted(examples),
        "intents": len(inputs.intents()),
        "versions": {package: metadata.version(package) for package in VERSIONS_OF},
        "seed": _seed(),
        "seconds": seconds,
        "trained_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _score() -> None:
    """Keep the model's scores on the evaluation files with it, so that the server can tell them."""
    from nlu.evaluate import evaluated, grouped, keep

    note = inputs.current()
    if note is not None:
        figures = grouped(evaluated(note))
        keep(note, figures)
        print(f"scored: {figures['all']['accuracy']} % of {int(figures['all']['n'])} unseen sentences right", flush=True)


def _seed() -> int:
    from nlu.components.linear import DEFAULTS

    return int(DEFAULTS["seed"])


def _train(name: str) -> None:
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    from rasa.model_training import train_nlu
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)
    inputs.MODELS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = str(Path(folder) / "cache")
        made = train_nlu(
            config=str(HOME / "config.yml"), nlu_data=str(_one_file(Path(folder))), output=str(inputs.MODELS),
            fixed_model_name=name, domain=str(HOME / "domain.yml"),
        )  # fmt: skip
    if not made:
        raise SystemExit("training gave no model; the lines above say why")


def _one_file(folder: Path) -> Path:
    """Write all examples as one file of Rasa's format: it reads one many times faster than hundreds."""
    blocks: dict[str, list[str]] = {}
    for _, _, intent, text in inputs.training():
        blocks.setdefault(intent, []).append(f"    - {text}")
    lines = ['version: "3.1"', "nlu:"]
    for intent, examples in sorted(blocks.items()):
        lines += [f"- intent: {intent}", "  examples: |", *examples]
    path = folder / "nlu.yml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
