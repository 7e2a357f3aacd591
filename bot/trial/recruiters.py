"""`sahyatri bench recruiters`: how fast and how well a recruiter is found in a long list, beside a plain yardstick.

Everything is made up and seeded. Two kinds of names across scripts are asked: written by rule from the sounds of coined names,
and written by people (content/recruiters/trial). Quality counts an agency as found when its name comes first.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml
from rapidfuzz import fuzz, process

from bot.config import Config
from bot.content.load import load_firm_words
from bot.domain.agencies import Agency, Check, Standing, Verdict
from bot.recruiters.build import Builder
from bot.recruiters.index import Index
from bot.recruiters.names import Lexicon
from bot.recruiters.verdict import check
from bot.store.index_files import IndexFiles
from bot.trial import writing
from bot.trial.names import MadeUp, agencies, made_up
from bot.trial.writing import Spellings

Figures = dict[str, Any]
SIZES: Final = (100_000, 500_000)
SEEDS: Final = {"names": 1, "spelling": 2, "queries": 5, "strangers": 99}
TODAY: Final = date(2026, 11, 24)
EACH: Final = 500
EACH_SCRIPT: Final = 40
STRANGERS: Final = 1500
PLAIN: Final = 30
#: From this score on the plain yardstick counts as a suggestion; it calls listed what is letter by letter the same.
PLAIN_LEAST: Final = 90.0
KEY: Final = "bench"
#: Kinds of noise, and under which figure they count.
EDIT, SCRIPT, STRANGER = "one_edit", "cross_script", "stranger"
NUMBERS: Final = ("licence", "phone")


@dataclass(frozen=True, slots=True)
class Query:
    """One question: its kind, what is typed, and the name that should come first ("" for a stranger)."""

    kind: str
    text: str
    right: str = ""


async def recruiters(config: Config, say: Callable[[str], None]) -> AsyncIterator[Figures]:
    """Lists of 100,000 and of 500,000 names: time, memory and quality of a check; see the README for the keys."""
    words = config.content / "recruiters" / "names"
    written = written_names(config.content / "recruiters" / "trial")
    spellings = spellings_of(words)
    for size in SIZES:
        say(f"making up {size:,} names …")
        names = made_up(size, SEEDS["names"])
        chance = random.Random(SEEDS["spelling"])  # noqa: S311 - made-up names
        listed = [writing.registered(name, chance, spellings) for name in names]
        queries = questions(names, listed, written, spellings)
        with tempfile.TemporaryDirectory() as folder:
            people = people_wrote(written)
            say(f"building the index over {size + len(people):,} names …")
            begun = time.perf_counter()
            _build(itertools.chain(agencies(listed, TODAY), people), words, Path(folder))
            built = time.perf_counter() - begun
            say(f"asking {len(queries):,} questions …")
            ours = _apart(_ask_ours, Path(folder), words, queries)
            say(f"asking {3 * PLAIN} of them the plain way …")
            plain = _apart(_ask_plain, [*listed, *(row.name for row in people)], _few(queries))
        yield {
            "bench": "recruiters", "n": size, **{key: ours[key] for key in ("p95_ms", "rss_mb")}, "build_s": round(built, 1),
            **{key: value for key, value in ours.items() if key not in {"p95_ms", "rss_mb"}},
            **{f"plain_{key}": value for key, value in plain.items()}, "seeds": SEEDS,
        }  # fmt: skip


def questions(
    names: Sequence[MadeUp], listed: Sequence[str], written: Mapping[str, list[dict[str, str]]], spellings: Spellings
) -> list[Query]:
    """Return all questions, mixed: every kind of noise, every script, wrong numbers, and names that are on no list."""
    chance = random.Random(SEEDS["queries"])  # noqa: S311 - made-up names
    found: list[Query] = []
    for kind, noise in _NOISES.items():
        for at in chance.sample(range(len(names)), EACH):
            found.append(Query(kind, noise(names[at], listed[at], chance, spellings), listed[at]))
    for language in writing.SCRIPTS:
        for at in chance.sample(range(len(names)), EACH_SCRIPT):
            found.append(
                Query(f"made:{language}", writing.in_script(names[at], language, chance, spellings), listed[at])
            )
    for language, rows in written.items():
        for row in rows:
            unseen = "" if "seen" in row else "unseen_"
            found.append(Query(f"{unseen}native:{language}", row["native"], row["name"]))
            found.append(Query(f"{unseen}latin:{language}", row["latin"], row["name"]))
    strangers = made_up(STRANGERS, SEEDS["strangers"], frozenset(names))
    for at, name in enumerate(strangers):
        language = chance.choice(list(writing.SCRIPTS))
        in_latin = at % 2 == 0
        text = (
            writing.registered(name, chance, spellings)
            if in_latin
            else writing.in_script(name, language, chance, spellings)
        )
        found.append(Query(STRANGER, text))
    for agency in agencies(listed[:EACH], TODAY):
        found.append(Query("licence", _one_digit_off(agency.licence, chance), agency.name))
        found.append(Query("phone", _one_digit_off(agency.phones[0], chance), agency.name))
    chance.shuffle(found)
    return found


def written_names(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return language → names with how people write them: those seen while the rules were made, then the unseen."""
    found: dict[str, list[dict[str, str]]] = {}
    for path in sorted(folder.glob("*.yaml")):
        row = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[path.stem] = [{**name, "seen": "yes"} for name in row["names"]] + row["unseen"]
    return found


def people_wrote(written: Mapping[str, list[dict[str, str]]]) -> list[Agency]:
    """Return a row for each name that people wrote down in their scripts."""
    names = sorted({row["name"] for rows in written.values() for row in rows})
    return [
        Agency(
            f"w{at}", name, f"W-{at:05}/SAM/PER/100/5/{at:05}/2022", Standing.ACTIVE, date(2028, 1, 1), source="written"
        )
        for at, name in enumerate(names)
    ]


def spellings_of(folder: Path) -> Spellings:
    """Return language → what fillers stand for → spellings, and `<language>:letters` → letter → spellings."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(folder.glob("*.yaml")):
        row = yaml.safe_load(path.read_text(encoding="utf-8"))
        fillers = {**(row.get("legal") or {}), **(row.get("trade") or {})}
        found[path.stem] = {what: [str(word) for word in spelt] for what, spelt in fillers.items()}
        found[f"{path.stem}:letters"] = row.get("letters") or {}
    return found


def _build(rows: Iterable[Agency], words: Path, folder: Path) -> None:
    builder = Builder(Lexicon(load_firm_words(words)))
    builder.add_all(rows)
    IndexFiles(folder).save(KEY, builder.finish())


def _apart(work: Callable[..., Figures], *given: object) -> Figures:
    """Run *work* in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def _ask_ours(folder: Path, words: Path, queries: Sequence[Query]) -> Figures:
    begun = time.perf_counter()
    lexicon = Lexicon(load_firm_words(words))
    read = time.perf_counter()
    arrays = IndexFiles(folder).load(KEY)
    if arrays is None:
        raise FileNotFoundError(folder)
    index = Index(arrays, lexicon)
    check("Suryodaya Overseas", index, TODAY)
    loaded = time.perf_counter()
    spent, checks = [], []
    for query in queries:
        start = time.perf_counter()
        checks.append(check(query.text, index, TODAY))
        spent.append((time.perf_counter() - start) * 1000)
    return {
        "p95_ms": round(statistics.quantiles(spent, n=20)[18], 1), "p50_ms": round(statistics.median(spent), 1),
        "rss_mb": _memory(), "load_s": round(loaded - read, 2), "words_s": round(read - begun, 2), **_scored(queries, checks),
    }  # fmt: skip


def _scored(queries: Sequence[Query], checks: Sequence[Check]) -> Figures:
    first = {at: found.matches[0].agency.name if found.matches else "" for at, found in enumerate(checks)}
    of_kind: dict[str, list[int]] = {}
    for at, query in enumerate(queries):
        for kind in {
            query.kind,
            query.kind.partition(":")[0],
            *((SCRIPT,) if _crosses(query) else ()),
        }:
            of_kind.setdefault(kind, []).append(at)

    def top1(kind: str) -> float:
        places = of_kind[kind]
        return round(sum(first[at] == queries[at].right for at in places) / len(places), 4)

    strange = [checks[at] for at in of_kind[STRANGER]]
    wrong = [
        at for at, found in enumerate(checks) if found.verdict is Verdict.LISTED and first[at] != queries[at].right
    ]
    numbers = [checks[at] for kind in NUMBERS for at in of_kind[kind]]
    return {
        "top1_one_edit": top1(EDIT), "top1_cross_script": top1(SCRIPT),
        "false_listed": round(sum(found.verdict is Verdict.LISTED for found in strange) / len(strange), 4),
        "false_suggested": round(sum(bool(found.matches) for found in strange) / len(strange), 4),
        "top1_native_unseen": top1("unseen_native"), "top1_native_written": top1("native"),
        "top1_native_made": top1("made"), "top1_latin_unseen": top1("unseen_latin"), "top1_latin_written": top1("latin"),
        **{f"top1_{kind}": top1(kind) for kind in _NOISES if kind != EDIT},
        **{f"top1_{kind}_one_off": top1(kind) for kind in NUMBERS},
        "numbers_listed": sum(found.verdict is Verdict.LISTED for found in numbers), "listed_another": len(wrong),
        "by_language": {
            language: {kind: top1(f"{kind}:{language}") for kind in ("unseen_native", "native", "made", "unseen_latin", "latin")}
            for language in writing.SCRIPTS
        },
        "asked": {kind: len(places) for kind, places in sorted(of_kind.items()) if ":" not in kind},
    }  # fmt: skip


def _few(queries: Sequence[Query]) -> list[Query]:
    kinds: dict[str, list[Query]] = {EDIT: [], SCRIPT: [], STRANGER: []}
    for query in queries:
        kind = SCRIPT if _crosses(query) else query.kind
        if len(kinds.get(kind, range(PLAIN))) < PLAIN:
            kinds[kind].append(Query(kind, query.text, query.right))
    return [query for few in kinds.values() for query in few]


def _ask_plain(names: list[str], queries: Sequence[Query]) -> Figures:
    spent, found = [], []
    for query in queries:
        start = time.perf_counter()
        best = process.extractOne(query.text, names, scorer=fuzz.WRatio)
        spent.append((time.perf_counter() - start) * 1000)
        found.append((query, best[0] if best else "", best[1] if best else 0.0))

    def top1(kind: str) -> float:
        rows = [(query.right, name) for query, name, _ in found if query.kind == kind]
        return round(sum(right == name for right, name in rows) / len(rows), 4)

    strange = [(query.text, name, score) for query, name, score in found if query.kind == STRANGER]
    return {
        "p95_ms": round(statistics.quantiles(spent, n=20)[18], 1), "rss_mb": _memory(), "build_s": 0.0, "load_s": 0.0,
        "top1_one_edit": top1(EDIT), "top1_cross_script": top1(SCRIPT),
        "false_listed": round(sum(text == name for text, name, _ in strange) / len(strange), 4),
        "false_suggested": round(sum(score >= PLAIN_LEAST for _, _, score in strange) / len(strange), 4), "asked": len(queries),
    }  # fmt: skip


def _crosses(query: Query) -> bool:
    return query.kind.partition(":")[0] in {"made", "native", "unseen_native"}


def _memory() -> float:
    """Return the most memory this process has had, in MB, mapped files included."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _one_digit_off(number: str, chance: random.Random) -> str:
    """Return *number* with one digit changed, after its first."""
    at = chance.choice([at for at, char in enumerate(number) if char.isdigit()][1:])
    return number[:at] + str((int(number[at]) + chance.randint(1, 9)) % 10) + number[at + 1 :]


_Noise = Callable[[MadeUp, str, random.Random, Spellings], str]
_NOISES: Final[dict[str, _Noise]] = {
    EDIT: lambda _, listed, chance, __: writing.one_edit(listed, chance),
    "sounded": lambda name, _, chance, spellings: writing.sounded(name, chance, spellings),
    "dropped": lambda _, listed, chance, __: writing.dropped(listed, chance),
    "swapped": lambda _, listed, chance, __: writing.swapped(listed, chance),
    "misread": lambda _, listed, chance, __: writing.misread(listed, chance),
}
