"""What a poster, a sheet of stickers and a volunteer's sheet say, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WallText:
    """The words of one language on a poster. `script` is an ISO 15924 code, `words` the phrase that the bot repeats."""

    locale: str
    script: str
    direction: str
    place: str
    name: str
    title: str
    ask: str
    scan: str
    words: str
    never: str
    sticker: str
    danger: str
    child: str
    railway: str
    volunteer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WallSheet:
    """One poster: the code as printed, the address in the QR, how to write, the words.

    `link` is what the QR holds, `shown` the same without its scheme, as text beside it; `whatsapp` a number and
    `telegram` a @name, "" where there is none.
    """

    code: str
    link: str
    shown: str
    whatsapp: str
    telegram: str
    texts: tuple[WallText, ...]
