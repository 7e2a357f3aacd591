"""JSON lines with ids only. Tokens, phone numbers and anything private are redacted at the root handlers."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import IO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST = 1024
#: Telegram puts the token in the URL path; Meta's tokens begin with EAA; long digit runs may be phone numbers, in
#: groups of four those of slips.
_SECRETS = re.compile(
    r"(bot)?\d{6,12}:[A-Za-z0-9_-]{20,}|EAA[A-Za-z0-9]{20,}|wamid\.[A-Za-z0-9+/=_-]+"
    r"|\+?\d{7,}|\d{4}(?:[ -]\d{4}){3}"
)
#: The Telegram library logs an answer that it cannot read with all its words.
_NOISY = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "aiohttp.access": logging.CRITICAL,
    "telegram": logging.CRITICAL,
}


def redact(text: str) -> str:
    """Hide tokens and long numbers."""
    return _SECRETS.sub("…", text)[:_LONGEST]


class JsonLines(logging.Formatter):
    """One line per record: time, level, logger, event, and the ids given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON line; an exception shows its type and places, never its words."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                line[key] = value if isinstance(value, int | float | bool | type(None)) else redact(str(value))
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-6:]
            line["where"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
        return json.dumps(line, ensure_ascii=False)


def configure(level: str, stream: IO[str] | None = None) -> None:
    """Send everything to *stream* (standard error) as JSON lines; quieten libraries that print what people write."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, lowest in _NOISY.items():
        logging.getLogger(name).setLevel(max(lowest, root.level))
    logging.getLogger("pymongo").setLevel(max(logging.INFO, root.level))
    logging.getLogger("asyncio").setLevel(max(logging.INFO, root.level))
