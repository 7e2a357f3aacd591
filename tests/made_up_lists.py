"""Long made-up lists with the columns that official ones have: `python -m tests.made_up_lists 500000 list.csv`.

Every name is made of syllables, every phone begins with five zeros, every address ends in `.example`. The same number of
rows and the same seed give the same file.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl

HEADER = (
    "Agency name", "RC number", "Status", "Valid until", "Place", "Address", "Phone", "E-mail", "Web", "UPI",
)  # fmt: skip
MAPPING = """\
source: {source}
title: "Long made-up list"
url: "https://emigrate.gov.in"
kind: {kind}
sample: true
as_of: {as_of}
columns: {{name: "Agency name", licence: "RC number", status: "Status", valid_until: "Valid until", place: "Place", address: "Address", phone: "Phone", email: "E-mail", web: "Web", upi: "UPI"}}
statuses:
  active: [active]
  expired: [expired]
  suspended: [suspended]
  cancelled: [cancelled]
  blacklisted: [blacklisted]
date_formats: ["%d-%m-%Y"]
"""
_SYLLABLES = [
    "su",
    "ri",
    "yo",
    "da",
    "ka",
    "ve",
    "na",
    "ma",
    "ra",
    "sa",
    "ga",
    "ta",
    "de",
    "jo",
    "vi",
    "sha",
    "li",
    "pa",
    "ra",
    "mi",
    "ha",
    "ku",
    "nda",
    "bha",
    "dra",
    "go",
    "vin",
    "la",
    "xi",
    "chan",
    "dri",
    "ru",
    "pe",
    "shi",
    "va",
    "tu",
    "le",
]
_TRADES = (
    "Overseas",
    "Manpower Services",
    "Placement Services",
    "Recruiters",
    "International",
    "HR Consultants Pvt Ltd",
)
_PLACES = ("Patna", "Siwan", "Gopalganj", "Lucknow", "Hyderabad", "Kochi", "Jaipur", "Mumbai", "Kolkata", "Chennai")
_STATUSES = ("Active",) * 12 + ("Expired", "Expired", "Suspended", "Cancelled", "Blacklisted")


def made_up_rows(count: int, seed: int = 7) -> Iterator[tuple[str, ...]]:
    """Yield *count* rows without the header, each with another licence number."""
    dice = random.Random(seed)
    for at in range(count):
        word = "".join(dice.choices(_SYLLABLES, k=dice.randint(3, 5)))
        place = dice.choice(_PLACES)
        number = f"{at:07d}"
        yield (
            f"{word.title()} {dice.choice(_TRADES)}",
            f"B-{number}/MAD/PER/{dice.choice((100, 300, 1000))}/5/{dice.randint(1000, 9999)}/{dice.randint(2015, 2026)}",
            dice.choice(_STATUSES),
            f"{dice.randint(1, 28):02d}-{dice.randint(1, 12):02d}-{dice.randint(2025, 2031)}",
            place,
            f"{dice.randint(1, 99)}, Made-up Road, Ward {dice.randint(1, 60)}, {place}",
            f"00000 {number[-5:]} / 00000{dice.randint(10000, 99999)}" if at % 5 == 0 else f"00000 {number[-5:]}",
            f"office{at}@{word}.example" if at % 2 else "",
            f"https://{word}.example" if at % 3 == 0 else "",
            f"{word}@example" if at % 7 == 0 else "",
        )


def write_csv(path: Path, count: int, seed: int = 7) -> Path:
    """Write a list of *count* rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(made_up_rows(count, seed))
    return path


def write_xlsx(path: Path, count: int, seed: int = 7) -> Path:
    """Write the same as a workbook."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADER)
    for row in made_up_rows(count, seed):
        sheet.append(row)
    book.save(path)
    return path


def write_mapping(path: Path, source: str = "made-up", as_of: str = "2026-11-23", kind: str = "overseas") -> Path:
    """Write the mapping of such a list."""
    path.write_text(MAPPING.format(source=source, as_of=as_of, kind=kind), encoding="utf-8")
    return path


if __name__ == "__main__":
    rows, target = int(sys.argv[1]), Path(sys.argv[2])
    (write_xlsx if target.suffix == ".xlsx" else write_csv)(target, rows)
    write_mapping(target.with_suffix(".yaml"))
