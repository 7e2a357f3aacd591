"""Values found by patterns over digits of every script: phone, licence, amount, age, date. Offsets into the raw text."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

LONGEST = 4000
_PATTERNS = (
    ("licence", re.compile(r"[A-Z]-?\d{3,5}/[A-Z0-9]{2,12}(?:/[A-Z0-9]{1,8}){1,5}", re.IGNORECASE)),
    ("email", re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,24}){1,3}")),
    ("date", re.compile(r"(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)")),
    ("phone", re.compile(r"(?<!\d)(?:\+?91[ -]?|0)?[6-9]\d{4}[ -]?\d{5}(?!\d)")),
    (
        "amount",
        re.compile(
            r"(?:₹|rs\.?|inr|रु\.?|रुपये|रुपए)\s?\d[\d,]{0,12}(?!\d)|(?<!\d)\d[\d,]{0,12}\s?(?:₹|rs|rupees|rupaye|rupay|रुपये|रुपए|रु|हजार|हज़ार|hazar|hajar|thousand|lakh|लाख)",
            re.IGNORECASE,
        ),
    ),
    ("age", re.compile(r"(?<!\d)\d{1,2}\s?(?:years?|yrs?|saal|sal|साल|बरस|वर्ष)", re.IGNORECASE)),
)


def entities(text: str) -> list[dict[str, Any]]:
    """Return entities with offsets into *text*; digits of every script count as digits."""
    plain = "".join(
        str(digit) if (digit := unicodedata.digit(char, None)) is not None else char for char in text[:LONGEST]
    )
    taken: list[tuple[int, int]] = []
    found = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            found.append(
                {
                    "entity": kind,
                    "value": plain[start:end].strip(),
                    "start": start,
                    "end": end,
                    "confidence_entity": 1.0,
                }
            )
    return sorted(found, key=lambda entity: entity["start"])
