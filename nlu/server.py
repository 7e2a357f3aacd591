"""The NLU server: Rasa's `/model/parse` contract over the trained model, loopback only, nothing kept, nothing logged.

`python nlu/server.py --port N [--host H] [--models FOLDER]`. With NLU_TOKEN set, every parse needs it in `X-Nlu-Token`. The
trained Rasa model's own components are called directly, without importing Rasa: the same result as `rasa run` at a fraction
of the start, memory and time (nlu/README.md). A leading slash is plain text here: nothing makes a message a command.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import os
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

from bot.domain.text import script_of  # noqa: E402
from nlu import inputs  # noqa: E402
from nlu.components import language, linear  # noqa: E402
from nlu.components.values import Values  # noqa: E402

MOST_BYTES = 256 * 1024
LONGEST_TEXT = 4096
MOST_TEXTS = 256
LONGEST_ID = 128


class Model:
    """The classifier and the entity patterns of one trained Rasa model, read straight from its archive."""

    def __init__(self, archive: Path) -> None:
        """Read *archive*; SystemExit with what to do when it holds no classifier of ours."""
        with tarfile.open(archive) as tar:
            self.classifier = linear.loads(_member(tar, linear.FILE))
            self._languages = language.loads(_member(tar, language.FILE))
        self._values = Values(self.classifier.note["lexicon"])

    def parse(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return Rasa's shape for each text."""
        rankings = self.classifier.rank(texts)
        return [self._line(text, ranking) for text, ranking in zip(texts, rankings)]

    def _line(self, text: str, ranking: list[dict[str, Any]]) -> dict[str, Any]:
        locale, confidence = self._languages.guess(text)
        return {
            "text": text,
            "intent": ranking[0],
            "entities": self._values.entities(text),
            "intent_ranking": ranking,
            "language": {"locale": locale, "script": script_of(text), "confidence": confidence},
        }


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    found = [path for path in tar.getnames() if path.endswith(f"/{name}")]
    member = tar.extractfile(found[0]) if len(found) == 1 else None
    if member is None:
        raise SystemExit(f"{tar.name} holds no {name}; train it again: python nlu/train.py --force")
    return member.read()


class Server:
    """Health, status and parse."""

    def __init__(self, model: Model, note: dict[str, Any], token: str) -> None:
        """*note*: what the trainer wrote about the model, shown at `/status`; *token*: "" asks for none."""
        self._model = model
        self._note = note
        self._token = token.encode()
        self._started = time.monotonic()
        self._parsed = 0
        self._queue: list[tuple[list[str], asyncio.Future[list[dict[str, Any]]]]] = []

    def app(self) -> web.Application:
        """Return the application with its routes."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/model/parse", self.parse)
        app.router.add_get("/health", self.health)
        app.router.add_get("/", self.health)
        app.router.add_get("/status", self.status)
        return app

    async def parse(self, request: web.Request) -> web.Response:
        """Parse {"text"} or {"texts": […]}; `message_id` is echoed."""
        given = request.headers.get("X-Nlu-Token", "").encode("utf-8", "surrogateescape")
        if self._token and not hmac.compare_digest(given, self._token):
            return web.json_response({"error": "X-Nlu-Token is missing or wrong"}, status=401)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return web.json_response({"error": "send the body uncompressed"}, status=415)
        try:
            asked = json.loads(await request.read())
            many, texts, name = _asked(asked)
        except (ValueError, TypeError, KeyError, RecursionError):
            error = f'send {{"text": "…"}} or {{"texts": ["…"]}}, at most {MOST_TEXTS} of them'
            return web.json_response({"error": error}, status=400)
        found = await self._together(texts)
        self._parsed += len(texts)
        return web.json_response({"results": found, "message_id": name} if many else {**found[0], "message_id": name})

    def _together(self, texts: list[str]) -> asyncio.Future[list[dict[str, Any]]]:
        """Parse with whatever else has arrived in this turn of the loop: one call costs less than several."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[dict[str, Any]]] = loop.create_future()
        self._queue.append((texts, answer))
        if len(self._queue) == 1:
            loop.call_soon(loop.call_soon, self._flush)
        return answer

    def _flush(self) -> None:
        waiting, self._queue = self._queue, []
        try:
            found = iter(self._model.parse([text for texts, _ in waiting for text in texts]))
        except Exception as error:
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for texts, answer in waiting:
            mine = [next(found) for _ in texts]
            if not answer.done():
                answer.set_result(mine)

    async def health(self, _: web.Request) -> web.Response:
        """Say that it answers."""
        return web.json_response({"ok": True})

    async def status(self, _: web.Request) -> web.Response:
        """Say which model this is, and how much it has parsed."""
        up = round(time.monotonic() - self._started, 1)
        return web.json_response({**self._note, "parsed": self._parsed, "up_seconds": up, "rss_mb": _memory()})


def _memory() -> int:
    """Return the resident memory of this process in MiB; 0 where /proc is not there."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def _asked(asked: Any) -> tuple[bool, list[str], str | None]:
    """Return (a batch?, texts, message id); ValueError, TypeError or KeyError when the body is not what it should be."""
    many = "texts" in asked
    texts = asked["texts"] if many else [asked["text"]]
    name = asked.get("message_id")
    if not isinstance(texts, list) or len(texts) > MOST_TEXTS or not all(isinstance(text, str) for text in texts):
        raise ValueError("texts")
    if name is not None and not (isinstance(name, str) and len(name) <= LONGEST_ID):
        raise ValueError("message_id")
    return many, [_sound(text[:LONGEST_TEXT]) for text in texts], name


def _sound(text: str) -> str:
    """Half a surrogate pair cannot be sent back: replace it. Joins those that JSON escapes gave in two halves."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def main() -> None:
    """Load the current model and serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--models", type=Path, default=inputs.MODELS, help="folder with current.json and the model")
    arguments = parser.parse_args()
    note = inputs.current(arguments.models)
    if note is None:
        raise SystemExit(f"no model is trained yet in {arguments.models}; run: python nlu/train.py")
    model = Model(arguments.models / f"{note['model']}.tar.gz")
    model.parse(["namaste"])
    server = Server(model, note, os.environ.get("NLU_TOKEN", ""))
    about = {name: note.get(name) for name in ("model", "examples", "scores")}
    print(json.dumps({"event": "nlu ready", **about, "port": arguments.port}), flush=True)
    web.run_app(server.app(), host=arguments.host, port=arguments.port, access_log=None, print=None)


if __name__ == "__main__":
    main()
