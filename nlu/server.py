"""The NLU server: Rasa's `/model/parse` contract over the trained model, loopback only, nothing kept, nothing logged.

`python nlu/server.py --port N`. With NLU_TOKEN set, every parse needs it in `X-Nlu-Token`. The trained
Rasa model's classifier is called directly: the same result as Rasa's own server at a fraction of the cost (nlu/README.md).
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import pickle
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from aiohttp import web  # noqa: E402

from nlu import inputs  # noqa: E402
from nlu.components.linear import FILE, rank  # noqa: E402
from nlu.components.values import entities  # noqa: E402

MOST_BYTES = 256 * 1024
LONGEST_TEXT = 4096
MOST_TEXTS = 256


class Model:
    """The trained Rasa model's classifier, read straight from the model archive.

    Importing Rasa itself takes some 20 s and 550 MB here and adds nothing to a parse: the archive's classifier is our own
    component. The same archive also runs under `rasa run` (see nlu/README.md).
    """

    def __init__(self, archive: Path) -> None:
        with tarfile.open(archive) as tar:
            found = [name for name in tar.getnames() if name.endswith(f"/{FILE}")]
            member = tar.extractfile(found[0]) if len(found) == 1 else None
            if member is None:
                raise SystemExit(f"{archive} holds no {FILE}; train it again: python nlu/train.py --force")
            self._model = pickle.loads(member.read())

    def parse(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return Rasa's shape for each text. A leading slash is plain text here: nothing makes it a command."""
        rankings = rank(self._model, texts)
        return [
            {"text": text, "intent": ranking[0], "entities": entities(text), "intent_ranking": ranking}
            for text, ranking in zip(texts, rankings)
        ]


class Server:
    """Health, status and parse."""

    def __init__(self, model: Model, note: dict[str, Any], token: str) -> None:
        self._model = model
        self._note = note
        self._token = token.encode()
        self._started = time.time()
        self._parsed = 0

    async def parse(self, request: web.Request) -> web.Response:
        """Parse {"text"} or {"texts": […]}; `message_id` is echoed."""
        given = request.headers.get("X-Nlu-Token", "").encode("utf-8", "surrogateescape")
        if self._token and not hmac.compare_digest(given, self._token):
            return web.json_response({"error": "X-Nlu-Token is missing or wrong"}, status=401)
        try:
            asked = json.loads(await request.read())
            texts = asked["texts"] if "texts" in asked else [asked["text"]]
            texts = [
                str(text)[:LONGEST_TEXT].encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts
            ]
        except (ValueError, TypeError, KeyError, RecursionError):
            return web.json_response({"error": 'send {"text": "…"} or {"texts": ["…"]}'}, status=400)
        if len(texts) > MOST_TEXTS:
            return web.json_response({"error": f"at most {MOST_TEXTS} texts at once"}, status=400)
        found = self._model.parse(texts) if texts else []
        self._parsed += len(texts)
        name = asked.get("message_id")
        body: Any = {"results": found, "message_id": name} if "texts" in asked else {**found[0], "message_id": name}
        return web.json_response(body)

    async def health(self, _: web.Request) -> web.Response:
        """Say that it answers."""
        return web.json_response({"ok": True})

    async def status(self, _: web.Request) -> web.Response:
        """Say which model this is and how much it has parsed."""
        return web.json_response(
            {**self._note, "parsed": self._parsed, "up_seconds": round(time.time() - self._started, 1)}
        )


def main() -> None:
    """Load the current model and serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    if not inputs.CURRENT.exists():
        raise SystemExit("no model is trained yet; run: python nlu/train.py")
    note = json.loads(inputs.CURRENT.read_text())
    model = Model(inputs.MODELS / f"{note['model']}.tar.gz")
    model.parse(["namaste"])
    server = Server(model, note, os.environ.get("NLU_TOKEN", ""))
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/model/parse", server.parse)
    app.router.add_get("/health", server.health)
    app.router.add_get("/", server.health)
    app.router.add_get("/status", server.status)
    print(json.dumps({"event": "nlu ready", "model": note["model"], "port": arguments.port}), flush=True)
    web.run_app(app, host=arguments.host, port=arguments.port, access_log=None, print=None)


if __name__ == "__main__":
    main()
