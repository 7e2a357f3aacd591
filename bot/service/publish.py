"""Our words as authors change them: propose, read, sign off, publish a version, go back to an older one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.content.checks import message_problems
from bot.content.model import Content
from bot.domain.wording import Mark, MarkKind, Proposal, Standing, Tally, Version, seal_of
from bot.ports import WordingStore

log = logging.getLogger(__name__)
SOURCE = "en"


class Refused(Exception):
    """A change that may not be made; says what and why, one problem a line."""


class Wording:
    """The content in force: the files, the published changes, and what native readers have signed."""

    def __init__(self, base: Content, store: WordingStore, now: Callable[[], datetime]) -> None:
        """*base*: the files. `refresh` brings the published state."""
        self._base = base
        self._store = store
        self._now = now
        self._stamp = (-1, -1)
        self._marks: Mapping[tuple[str, str, MarkKind], Mark] = {}
        self.content = base

    async def refresh(self) -> bool:
        """Load again if a version or a mark is new; True if so."""
        stamp = await self._store.stamp()
        if stamp == self._stamp:
            return False
        current = await self._store.current()
        self._marks = {(mark.locale, mark.message, mark.kind): mark for mark in await self._store.marks()}
        content = self._base.with_words(current.words if current else {})
        self.content = content.with_statuses({code: self._status(code, content) for code in content.locales})
        self._stamp = stamp
        return True

    def _status(self, locale: str, content: Content) -> str:
        """A locale is released when its files say so, or when a native reader has signed every message as it stands."""
        if self._base.locales[locale].status == "released":
            return "released"
        signed = all(self._holds(locale, key, MarkKind.SIGNED, content) for key in content.messages[locale])
        return "released" if signed else "draft"

    def _holds(self, locale: str, message: str, kind: MarkKind, content: Content) -> Mark | None:
        mark = self._marks.get((locale, message, kind))
        words = content.messages[locale].get(message, "")
        source = content.messages[SOURCE].get(message, "")
        return mark if mark and mark.seal == seal_of(words, source) else None

    async def standing(self, locale: str, message: str) -> Standing:
        """Return how one message stands. Raise KeyError for an unknown one."""
        proposals = {(item.locale, item.message): item.words for item in await self._store.proposals()}
        return self._standing(locale, message, proposals)

    def _standing(self, locale: str, message: str, proposals: Mapping[tuple[str, str], str]) -> Standing:
        content = self.content
        return Standing(
            content.messages[locale].get(message, ""),
            content.messages[SOURCE][message],
            proposals.get((locale, message), ""),
            self._holds(locale, message, MarkKind.READ, content),
            self._holds(locale, message, MarkKind.SIGNED, content),
        )

    async def area(self, locale: str, area: str) -> dict[str, Standing]:
        """Return every message of an area (the name of its file), in the order of the source."""
        proposals = {(item.locale, item.message): item.words for item in await self._store.proposals()}
        return {key: self._standing(locale, key, proposals) for key in self.messages(area)}

    def messages(self, area: str) -> tuple[str, ...]:
        """Return the message ids of an area."""
        content = self.content
        return tuple(key for key in content.messages[SOURCE] if content.area_of(key) == area)

    def areas(self) -> tuple[str, ...]:
        """Return the areas, in the order of the source."""
        content = self.content
        return tuple(dict.fromkeys(content.area_of(key) for key in content.messages[SOURCE]))

    async def tallies(self) -> dict[tuple[str, str], Tally]:
        """Return (locale, area) → how far it is."""
        proposed = {(item.locale, item.message) for item in await self._store.proposals()}
        found: dict[tuple[str, str], Tally] = {}
        for locale, messages in self.content.messages.items():
            for key in messages:
                at = (locale, self.content.area_of(key))
                tally = found.get(at, Tally())
                read = self._holds(locale, key, MarkKind.READ, self.content)
                signed = self._holds(locale, key, MarkKind.SIGNED, self.content)
                found[at] = Tally(
                    tally.messages + 1,
                    tally.read + bool(read),
                    tally.signed + bool(signed),
                    tally.proposed + ((locale, key) in proposed),
                    tuple(sorted({*tally.names, *([signed.who] if signed else [])})),
                )
        return found

    async def propose(self, locale: str, message: str, words: str, who: str) -> None:
        """Propose other words. Raise `Refused` with every problem they have."""
        words = words.replace("\r\n", "\n").strip()
        self._known(locale, message)
        problems = list(message_problems(message, words, self.content))
        if problems:
            raise Refused("\n".join(problems))
        await self._store.propose(Proposal(locale, message, words, who, self._now()))

    async def withdraw(self, locale: str, message: str) -> None:
        """Take a proposal back."""
        self._known(locale, message)
        await self._store.withdraw(locale, message)

    async def mark(self, locale: str, messages: tuple[str, ...], kind: MarkKind, who: str) -> None:
        """Say that *who* has read, or as a native reader signs off, these messages as they stand."""
        for message in messages:
            self._known(locale, message)
            words = self.content.messages[locale].get(message, "")
            if not words:
                continue
            seal = seal_of(words, self.content.messages[SOURCE][message])
            await self._store.mark(Mark(locale, message, kind, seal, who, self._now()))
        await self.refresh()

    async def publish(self, who: str, note: str) -> Version:
        """Put every open proposal in force as a new version. Raise `Refused` when there is none, or one is broken."""
        proposals = await self._store.proposals()
        if not proposals:
            raise Refused("nothing is proposed; change a message first")
        problems = [
            f"{item.locale} {item.message}: {problem}"
            for item in proposals
            for problem in message_problems(item.message, item.words, self.content)
        ]
        if problems:
            raise Refused("\n".join(problems))
        current = await self._store.current()
        words: dict[str, dict[str, str]] = {
            code: dict(messages) for code, messages in (current.words if current else {}).items()
        }
        for item in proposals:
            words.setdefault(item.locale, {})[item.message] = item.words
        version = await self._store.publish(words, who, note, self._now())
        for item in proposals:
            await self._store.withdraw(item.locale, item.message)
        await self.refresh()
        log.info("words published", extra={"version": version.number, "changes": version.count})
        return version

    async def go_back(self, number: int) -> None:
        """Put an older version in force; 0 is the files as they are. Raise `Refused` for one that is not there."""
        if number and number not in {version.number for version in await self._store.versions()}:
            raise Refused(f"there is no version {number}")
        await self._store.make_current(number)
        await self.refresh()

    def _known(self, locale: str, message: str) -> None:
        if locale not in self.content.locales or message not in self.content.messages[SOURCE]:
            raise Refused(f"{locale} {message}: there is no such message")
