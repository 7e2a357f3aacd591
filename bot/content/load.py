"""Reads content/*.yaml into frozen `Content`; every problem names its file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.content.model import (
    Content,
    Course,
    Criterion,
    Danger,
    District,
    Fact,
    Helpline,
    Lesson,
    Locale,
    OtherLanguage,
    Place,
    Scheme,
    State,
    StateNote,
    Topic,
)
from bot.domain.firm_words import KINDS, FirmWords
from bot.domain.hunch import Hunch
from bot.domain.offers import RedFlags
from bot.domain.patterns import Pattern
from bot.domain.words import folded_words

GAP = "~"
GAP_WORDS = 3


class ContentError(Exception):
    """A content file that cannot be read: names the file, what is wrong and what to do."""


def load(root: Path) -> Content:
    """Load everything under *root*. Raise `ContentError` for a file that cannot be read at all."""
    locales = {row["code"]: _locale(row) for row in _rows(root / "locales.yaml", "locales")}
    others = {row["code"]: _other(row) for row in read(root / "locales.yaml").get("others") or ()}
    messages, statuses, lines = _messages(root, locales)
    states, notes = _states(root / "directory" / "states.yaml")
    red_flags, flag_facts = _red_flags(root / "recruiters")
    return Content(
        locales=locales,
        messages=messages,
        statuses=statuses,
        topics={path.stem: _topic(path) for path in sorted((root / "topics").glob("*.yaml"))},
        helplines=_helplines(root / "directory" / "helplines.yaml"),
        danger=load_danger(root / "danger"),
        commands=_folded(root / "commands.yaml", "commands", str),
        numbers={key: int(value) for key, value in _folded(root / "numbers.yaml", "numbers", int).items()},
        places=_places(root / "directory" / "transit_points.yaml"),
        others=others,
        schemes={path.stem: _scheme(path) for path in sorted((root / "schemes").glob("*.yaml"))},
        states=states,
        state_notes=notes,
        districts=tuple(
            District(row["district"], row["state"], tuple(filter(None, row["aliases"].split(";"))))
            for row in _table(root / "directory" / "districts.csv", ("state", "district", "aliases"))
        ),
        stations=_stations(root / "directory" / "stations.csv"),
        lines=lines,
        red_flags=red_flags,
        firm_words=load_firm_words(root / "recruiters" / "names"),
        flag_facts=flag_facts,
        courses={path.stem: _course(path) for path in sorted((root / "campaigns").glob("*.yaml"))},
        pictures={
            str(sign): str(choice) for sign, choice in (read(root / "commands.yaml").get("pictures") or {}).items()
        },
        shown_with=_shown_with(root / "pictures.yaml"),
    )


def _shown_with(path: Path) -> dict[str, str]:
    rows = read(path).get("pictures") or {}
    if not isinstance(rows, dict):
        raise ContentError(f"{path}: pictures is no map; write it as message: picture")
    return {str(message): str(name) for message, name in rows.items()}


def read(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raise `ContentError`."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader, see below
    except OSError as error:
        raise ContentError(
            f"{path}: cannot be read ({error.strerror}); restore the file from the repository"
        ) from error
    except yaml.YAMLError as error:
        raise ContentError(f"{path}: is not valid YAML ({error}); mend the line that it names") from error
    if not isinstance(found, dict):
        raise ContentError(f"{path}: must hold a mapping at its top level")
    return found


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a CSV file with exactly these columns. Raise `ContentError`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != columns:
                raise ContentError(f"{path}:1: has the columns {reader.fieldnames}, needs {', '.join(columns)}")
            return list(reader)
    except OSError as error:
        raise ContentError(f"{path}: cannot be read ({error.strerror}); restore it from the repository") from error


class _Loader(yaml.CSafeLoader):
    """Safe, and a key that stands twice is an error instead of silently winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {min(map(str, twice))!r} stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


def _locale(row: Mapping[str, Any]) -> Locale:
    markers = tuple(word for marker in row.get("markers") or () for word in folded_words(marker))
    return Locale(**{**row, "markers": markers})


def _other(row: Mapping[str, Any]) -> OtherLanguage:
    markers, signs = (
        tuple(word for marker in row.get(key) or () for word in folded_words(marker)) for key in ("markers", "signs")
    )
    return OtherLanguage(row["code"], row["own_name"], tuple(row["nearest"]), row.get("script", ""), markers, signs)


def _rows(path: Path, key: str) -> list[dict[str, Any]]:
    rows = read(path).get(key)
    if not isinstance(rows, list):
        raise ContentError(f"{path}: needs a list under {key!r}")
    return rows


def _messages(
    root: Path, locales: Mapping[str, Locale]
) -> tuple[dict[str, dict[str, str]], dict[tuple[str, str], str], dict[tuple[str, str], tuple[str, int]]]:
    messages: dict[str, dict[str, str]] = {code: {} for code in locales}
    statuses: dict[tuple[str, str], str] = {}
    lines: dict[tuple[str, str], tuple[str, int]] = {}
    for code in locales:
        for path in sorted((root / "messages" / code).glob("*.yaml")):
            loaded = read(path)
            statuses[code, path.stem] = str(loaded.get("status", "draft"))
            for key, words in (loaded.get("messages") or {}).items():
                if not isinstance(words, str):
                    raise ContentError(f"{path}: message {key!r} must be text; put it in quotes")
                if key in messages[code]:
                    raise ContentError(f"{path}: message {key!r} already stands in another file of {code}; keep one")
                messages[code][key] = words.strip()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.startswith("  ") and line[2:3].strip() and ":" in line:
                    lines.setdefault((code, line[2:].partition(":")[0]), (str(path), number))
    return messages, statuses, lines


def _topic(path: Path) -> Topic:
    row = read(path)
    try:
        return Topic(
            id=row["topic"],
            area=row["area"],
            facts=tuple(_fact(fact, path) for fact in row.get("facts") or ()),
            helplines=tuple(row.get("helplines") or ()),
            related=tuple(row.get("related") or ()),
            unverified=bool(row.get("unverified", False)),
            audiences=tuple(row.get("audiences") or ()),
        )
    except KeyError as error:
        raise ContentError(f"{path}: has no {error}; every topic needs it") from error


def _fact(row: Mapping[str, Any], path: Path) -> Fact:
    try:
        return Fact(
            id=str(row["id"]),
            statement=str(row["statement"]),
            source=str(row.get("source") or ""),
            url=str(row.get("url") or ""),
            verified_on=_day(row["verified_on"], path),
            confidence=str(row.get("confidence") or ""),
            show=str(row.get("show") or ""),
            valid_from=_day(row["valid_from"], path) if row.get("valid_from") else None,
            valid_to=_day(row["valid_to"], path) if row.get("valid_to") else None,
        )
    except KeyError as error:
        raise ContentError(f"{path}: a fact has no {error}; every fact needs it") from error


def _day(value: object, path: Path) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ContentError(f"{path}: {value!r} is not a date; write it as 2026-11-23") from error


def _helplines(path: Path) -> dict[str, Helpline]:
    rows = _rows(path, "helplines")
    return {row["id"]: Helpline(row["id"], str(row["number"]), _fact(row["fact"], path)) for row in rows}


def _places(path: Path) -> dict[str, Place]:
    return {
        row["code"]: Place(
            row["code"], row["name"], row["kind"], row["district"], tuple(row["locales"]), row["state"],
            float(row["latitude"]), float(row["longitude"]), aliases=tuple(row.get("aliases") or ()),
            names=_names(row, path),
        )
        for row in _rows(path, "transit_points")
    }  # fmt: skip


def _names(row: Mapping[str, Any], path: Path) -> dict[str, str]:
    names = row.get("names") or {}
    if not isinstance(names, dict):
        raise ContentError(f'{path}: {row["code"]}: names is no map; write it as {{hi: "…", bn: "…"}}')
    return {str(locale): str(name or "").strip() for locale, name in names.items()}


def _stations(path: Path) -> tuple[Place, ...]:
    columns = ("code", "name", "state", "latitude", "longitude")
    return tuple(
        Place(
            row["code"], row["name"], "station", "", (), row["state"], float(row["latitude"]),
            float(row["longitude"]), poster=False,
        )
        for row in _table(path, columns)
    )  # fmt: skip


def _states(path: Path) -> tuple[dict[str, State], tuple[StateNote, ...]]:
    states, notes = {}, []
    for row in _rows(path, "states"):
        states[row["code"]] = State(row["code"], tuple(map(str, row.get("aliases") or ())))
        notes += [
            StateNote(
                note["id"], row["code"], tuple(note["topics"]), tuple(_fact(fact, path) for fact in note["facts"])
            )
            for note in row.get("notes") or ()
        ]
    return states, tuple(notes)


def _scheme(path: Path) -> Scheme:
    row = read(path)
    try:
        criteria = tuple(
            Criterion(
                item["rule"],
                (int(item["from"]), int(item.get("to", 0))) if "from" in item else None,
                str(item.get("also", "")),
            )
            for item in row["criteria"]
        )
        facts = tuple(_fact(fact, path) for fact in row["facts"])
        return Scheme(row["scheme"], row["topic"], int(row["rank"]), criteria, str(row.get("provided", "")), facts)
    except KeyError as error:
        raise ContentError(f"{path}: has no {error}; every scheme needs it") from error


def _course(path: Path) -> Course:
    row = read(path)
    try:
        lessons = tuple(
            Lesson(item["topic"], tuple(map(str, item.get("facts") or ())), item["right"]) for item in row["lessons"]
        )
        return Course(row["course"], lessons)
    except (KeyError, TypeError) as error:
        raise ContentError(f"{path}: lacks {error}; every lesson has topic, facts and right") from error


def _folded(path: Path, section: str, kind: type) -> dict[str, str]:
    """Return folded phrase → name, plus the plain lower-case phrase for forms such as `/start`.

    YAML reads a bare yes, no, on or off as a truth value: those must stand in quotes, or nobody would be understood.
    """
    table: Mapping[object, Iterable[object]] = read(path)[section]
    folded: dict[str, str] = {}
    for name, phrases in table.items():
        for phrase in (name, *phrases):
            if isinstance(phrase, bool) or not isinstance(name, kind):
                raise ContentError(f"{path}: {phrase!r} under {section} is no word; put yes, no, on and off in quotes")
        for phrase in phrases:
            folded[str(phrase).casefold()] = str(name)
            folded[" ".join(folded_words(str(phrase)))] = str(name)
    folded.pop("", None)
    return folded


def load_danger(folder: Path) -> Danger:
    """Return the phrases of every locale in *folder* and the learned weights. Raise `ContentError`."""
    found: dict[str, list[Pattern]] = {"patterns": [], "calming": [], "silent": [], "minor": []}
    for path in sorted(folder.glob("*.yaml")):
        row = read(path)
        sets = {name: _words(words) for name, words in (row.get("words") or {}).items()}
        for section in found:
            for group in row.get(section) or ():
                found[section] += _group(group, sets, path)
    return Danger(
        patterns=tuple(found["patterns"]),
        calming=tuple(found["calming"]),
        silent=tuple(found["silent"]),
        minor=tuple(found["minor"]),
        hunch=_hunch(folder / "learned.json"),
    )


def _red_flags(folder: Path) -> tuple[RedFlags, dict[str, tuple[Fact, ...]]]:
    """Read the warning signs, the phrases of every language that find them, and the facts each rests on."""
    found: dict[str, list[Pattern]] = {"flags": [], "calming": []}
    for path in sorted((folder / "flags").glob("*.yaml")):
        row = read(path)
        sets = {name: _words(words) for name, words in (row.get("words") or {}).items()}
        for section, patterns in found.items():
            for group in row.get(section) or ():
                patterns.extend(_group({**group, "kind": group.get("id")}, sets, path))
    path = folder / "red_flags.yaml"
    head = read(path)
    try:
        rows = head["flags"]
        units = {name: frozenset().union(*(_words([word]) for word in words)) for name, words in head["units"].items()}
        facts = {str(row["id"]): _fact(row, path) for row in head["facts"]}
        flags = RedFlags(
            order=tuple(row["id"] for row in rows),
            urgent=frozenset(row["id"] for row in rows if row.get("urgent")),
            together=tuple(frozenset(names) for names in head.get("together") or ()),
            asking=frozenset(row["id"] for row in rows if row.get("asking")),
            patterns=tuple(found["flags"]),
            calming=tuple(found["calming"]),
            lakh=units["lakh"],
            thousand=units["thousand"],
        )
        return flags, {row["id"]: tuple(facts[str(name)] for name in row["facts"]) for row in rows}
    except (KeyError, TypeError) as error:
        raise ContentError(f"{path}: lacks {error}, or names a fact that is not listed; add it") from error


def load_firm_words(folder: Path) -> FirmWords:
    """Read the words of firms' names, English first. Raise `ContentError`."""
    found = FirmWords()
    for path in sorted(folder.glob("*.yaml"), key=lambda path: (path.stem != "en", path.stem)):
        row = read(path)
        try:
            fillers = tuple(
                (kind, str(canon), str(word))
                for kind in KINDS
                for canon, words in (row.get(kind) or {}).items()
                for word in words or ()
            )
            letters = tuple(
                (str(letter), word) for letter, words in (row.get("letters") or {}).items() for word in words
            )
            found = FirmWords(
                (*found.fillers, *fillers),
                (*found.asking, *(row.get("asking") or ())),
                (*found.lengthening, *(row.get("lengthening") or ())),
                (*found.letters, *letters),
                (*found.spoken, *((str(word), str(said)) for word, said in (row.get("spoken") or {}).items())),
            )
        except (AttributeError, TypeError) as error:
            raise ContentError(f"{path}: is not as the others ({error}); compare it with en.yaml") from error
    return found


def _hunch(path: Path) -> Hunch:
    """Read the learned weights: {"bias", "now", "perhaps", "doubt", "terms": {term: [weight, rarity]}}."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        terms = {term: (float(weight), float(rarity)) for term, (weight, rarity) in row["terms"].items()}
        return Hunch(terms, float(row["bias"]), float(row["now"]), float(row["perhaps"]), float(row["doubt"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = type(error).__name__
        raise ContentError(f"{path}: cannot be read ({why}); make it again: make nlu-danger") from error


def _group(group: Mapping[str, Any], sets: Mapping[str, frozenset[str]], path: Path) -> list[Pattern]:
    try:
        phrases, kind, level = group["phrases"], str(group.get("kind") or ""), str(group.get("level") or "now")
        return [
            _pattern(f"{path.stem}.{group['id']}.{n}", kind, level, phrase, sets) for n, phrase in enumerate(phrases)
        ]
    except KeyError as error:
        raise ContentError(
            f"{path}: {error} is missing, or names a set of words that the file does not have"
        ) from error


def _pattern(name: str, kind: str, level: str, phrase: str, sets: Mapping[str, frozenset[str]]) -> Pattern:
    """Read `mujhe ~ {locked}`: words in order, up to three others at `~`; `{name}` is a set of words, `|` is or."""
    steps: list[frozenset[str]] = []
    for part in phrase.split():
        if part == GAP:
            continue
        steps.append(_step(part, sets))
    return Pattern(name, kind, level, tuple(steps), GAP_WORDS if GAP in phrase.split() else 0)


def _step(part: str, sets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the words of one step: `word`, `word*`, `{set}`, or several of them as `this|that|{set}`."""
    names = [word[1:-1] for word in part.split("|") if word.startswith("{")]
    words = [word for word in part.split("|") if not word.startswith("{")]
    return _words(words).union(*(sets[name] for name in names))


@cache
def _fold(word: str) -> tuple[str, ...]:
    """Fold a word of our own; danger phrases use the same words again and again."""
    return folded_words(word)


def _words(words: Iterable[str]) -> frozenset[str]:
    folded = set()
    for word in words:
        stem, star = (word[:-1], "*") if word.endswith("*") else (word, "")
        folded |= {form + star for form in _fold(stem)[:1]}
    return frozenset(folded)
