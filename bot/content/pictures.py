"""Pictures of ours that go out with words: where their files are, and what is wrong with them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bot.content.model import Content, alt_of
from bot.domain.pictures import picture_type

FOLDER: Final = "pictures"
#: What a file may be called, by its MIME type; the first that is there is sent.
ENDINGS: Final[Mapping[str, str]] = {"image/png": "png", "image/jpeg": "jpg"}
#: Bytes: on a slow connection 60 KB take five seconds, and words wait for nothing longer.
LARGEST: Final = 60 * 1024
#: Under this name a PNG says from which source it was drawn: the SHA-256 of the SVG.
SOURCE: Final = "Source"
_NAME: Final = re.compile(r"[a-z0-9_]{1,40}")


def is_name(name: str) -> bool:
    """Say whether *name* can be a picture's: small letters, digits and _; so it never leaves the folder."""
    return bool(_NAME.fullmatch(name))


def file_of(root: Path, name: str) -> Path | None:
    """Return the file of a picture under the content's *root*, None if there is none."""
    if not is_name(name):
        return None
    paths = (root / FOLDER / f"{name}.{ending}" for ending in ENDINGS.values())
    return next((path for path in paths if path.is_file()), None)


def mark_of(source: bytes) -> str:
    """Return what a PNG drawn from *source* says about it."""
    return hashlib.sha256(source).hexdigest()


def problems(content: Content, root: Path) -> Iterator[str]:
    """Yield every problem of the pictures: what, why, what to do."""
    place = f"{root}/pictures.yaml"
    for message, name in content.shown_with.items():
        if not content.has("en", message):
            yield f"{place}: message {message!r} does not exist; its picture would never be seen; correct or remove it"
        yield from (f"{place}: {message} names the picture {name!r}, {problem}" for problem in _named(name, root))
        for code in content.locales:
            if not content.messages[code].get(alt_of(name), "").strip():
                yield (
                    f"{root}/messages/{code}: picture {name!r} of {message} has no alt text in {code}; "
                    f"who cannot see it would not know what it shows; write {alt_of(name)!r}"
                )


def _named(name: str, root: Path) -> Iterator[str]:
    if not is_name(name):
        yield "which is no name of a picture; use small letters, digits and _"
        return
    path = file_of(root, name)
    if not path:
        yield f"which is not there; put {name}.png into {root}/{FOLDER}, or draw it: sahyatri content draw {name}"
        return
    data = path.read_bytes()
    if len(data) > LARGEST:
        yield f"which has {len(data)} bytes, at most {LARGEST} are sent; make it smaller"
    if ENDINGS.get(picture_type(data)) != path.suffix[1:]:
        yield f"whose file {path.name} is no {path.suffix[1:]}; no channel would take it; save it as one"
    source = path.with_suffix(".svg")
    if source.is_file() and mark_of(source.read_bytes()).encode() not in data:
        yield f"which was not drawn from {source.name} as it is now; draw it: sahyatri content draw {name}"
