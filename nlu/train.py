"""Train the model if its inputs have changed: `python nlu/train.py [--force]`. Reproducible from the seed in the config."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from nlu import inputs  # noqa: E402


def main() -> int:
    """Return 0 when a model of the present inputs is there afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="train even if nothing has changed")
    force = parser.parse_args().force
    name = inputs.content_hash()
    if not force and current() == name:
        print(f"the model {name} fits the present data", flush=True)
        return 0
    examples = inputs.training()
    print(f"training on {len(examples)} examples in {len({row[0] for row in examples})} locales …", flush=True)
    started = time.monotonic()
    _train(name)
    seconds = round(time.monotonic() - started, 1)
    note = {
        "model": name,
        "examples": len(examples),
        "locales": sorted({row[0] for row in examples}),
        "seconds": seconds,
    }
    inputs.CURRENT.write_text(json.dumps(note, indent=1))
    for old in inputs.MODELS.glob("*.tar.gz"):
        if old.name != f"{name}.tar.gz":
            old.unlink()
    print(f"trained {name} in {seconds} s", flush=True)
    return 0


def current() -> str:
    """Return the name of the model in place, or ""."""
    if not inputs.CURRENT.exists():
        return ""
    name = str(json.loads(inputs.CURRENT.read_text())["model"])
    return name if (inputs.MODELS / f"{name}.tar.gz").exists() else ""


def _train(name: str) -> None:
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    from rasa.model_training import train_nlu
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)
    inputs.MODELS.mkdir(exist_ok=True)
    os.chdir(HOME)
    made = train_nlu(
        config=str(HOME / "config.yml"), nlu_data=str(HOME / "data"), output=str(inputs.MODELS),
        fixed_model_name=name, domain=str(HOME / "domain.yml"),
    )  # fmt: skip
    if not made:
        raise SystemExit("training gave no model; the lines above say why")


if __name__ == "__main__":
    sys.exit(main())
