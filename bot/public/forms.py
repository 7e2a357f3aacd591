"""The simple page's form: its fields come first, so that words are kept before a slow file has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

from bot.public.files import CARRIERS, Enclosure, legible, read_file, read_part
from bot.public.letters import BODY_PATIENCE, LONGEST_BODY, Letter, letter

MOST_FIELDS = 20


class Form:
    """What one form sends: fields and message at once, the files when they are asked for."""

    def __init__(self, fields: dict[str, str], parts: MultipartReader | None, first: BodyPartReader | None) -> None:
        """*parts*: what is still to be read of a form with files; *first*: its first file."""
        self.fields = fields
        self._parts = parts
        self._first = first

    @property
    def letter(self) -> Letter | None:
        """The message in it, None where nothing was written. Raise 400."""
        fields = self.fields
        given: dict[str, Any] = {"id": self.name, "text": fields.get("text", "")}
        if fields.get("choice"):
            given |= {"choice": fields["choice"], "text": ""}
        return letter(given) if given["text"].strip() or "choice" in given else None

    @property
    def name(self) -> str:
        """The id under which all of it is kept once, however often it is sent."""
        return self.fields.get("id", "")

    async def files(self) -> tuple[Sequence[Enclosure], bool]:
        """Return the files, and whether all are among them: one too large, too slow or of another kind is left out."""
        found: list[Enclosure] = []
        part, whole = self._first, True
        for _ in CARRIERS:
            if not part or part.name not in CARRIERS:
                break
            try:
                file = await read_file(part)
                found += [file] if file else []
            except web.HTTPUnsupportedMediaType:
                whole = False
            except web.HTTPRequestEntityTooLarge:
                return found, False
            async with legible(BODY_PATIENCE):
                part = await _next(self._parts)
        return found, whole


async def read_form(request: web.Request) -> Form:
    """Read a form up to its first file. Raise 400, 408, 413."""
    async with legible(BODY_PATIENCE):
        if request.content_type != "multipart/form-data":
            return Form({name: str(value) for name, value in (await request.post()).items()}, None, None)
        return await _begun(await request.multipart())


async def _begun(parts: MultipartReader) -> Form:
    fields: dict[str, str] = {}
    while (part := await _next(parts)) and part.name not in CARRIERS:
        if len(fields) >= MOST_FIELDS:
            raise web.HTTPBadRequest(text="too many fields")
        fields[str(part.name)] = (await read_part(part, LONGEST_BODY)).decode("utf-8", "replace")
    return Form(fields, parts, part)


async def _next(parts: MultipartReader | None) -> BodyPartReader | None:
    """Return the next part; what follows the files is of no account. Raise 400 for parts within parts."""
    part = await parts.next() if parts else None
    if isinstance(part, MultipartReader):
        raise web.HTTPBadRequest(text="a form within a form")
    return part
