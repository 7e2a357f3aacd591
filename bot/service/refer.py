"""Referring a case: a paper with as little as was ticked, and a line of history that says what left the house."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.cases import Case, CaseAction
from bot.domain.private import Private
from bot.domain.referrals import Basis, Packet, Part, Recipient, allowed
from bot.ports import Cases, PacketWriter


class NotAllowed(Exception):
    """A referral that may not be made like this; `why` is the id of the words that say so."""

    def __init__(self, why: str) -> None:  # noqa: D107
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Wish:
    """What a responder asked for. parts: part → its facts as (name, value), only those that were ticked."""

    recipient: Recipient
    office: str
    reason: str
    basis: Basis
    consent: str
    parts: Mapping[Part, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Handed:
    """The paper, and the SHA-256 of its bytes."""

    packet: Packet
    data: bytes
    file: str


class Referrals:
    """Makes the paper. It is kept nowhere; the case's history says to whom, why and what."""

    def __init__(self, cases: Cases, writer: PacketWriter, now: Callable[[], datetime]) -> None:  # noqa: D107
        self._cases = cases
        self._writer = writer
        self._now = now

    async def hand_out(self, case: Case, who: str, wish: Wish, words: Mapping[str, str], key: str) -> Handed:
        """Make the paper and record it; the same paper under the same *key* is one line of history.

        Raise `NotAllowed`, `NotOwner`, `IllegalTransition`.
        """
        if not wish.office.strip() or not wish.reason.strip():
            raise NotAllowed("empty")
        if not allowed(wish.basis, wish.consent, minor=case.minor):
            raise NotAllowed("case.no_basis")
        consent = wish.consent.strip() if wish.basis is Basis.CONSENT else ""
        packet = Packet(
            case.id, self._now(), who, wish.recipient, wish.office.strip(), wish.reason.strip(), wish.basis, consent,
            tuple(part for part in Part if part in wish.parts),
            tuple(fact for part in Part for fact in wish.parts.get(part, ())),
        )  # fmt: skip
        data = await asyncio.to_thread(self._writer.write, packet, words)
        detail = Private(_line(packet, words))
        once = f"{key}:{packet.same}"
        await self._cases.act(case.id, CaseAction.REFER, who, self._now(), detail=detail, key=once)
        return Handed(packet, data, hashlib.sha256(data).hexdigest())


def _line(packet: Packet, words: Mapping[str, str]) -> str:
    """Say in one line to whom, why, on what ground, and which parts."""
    parts = ", ".join(words[f"part.{part.value}"] for part in packet.parts)
    ground = f"{words['basis.' + packet.basis.value]} {packet.consent}".strip()
    whom = f"{words['recipient.' + packet.recipient.value]}: {packet.office}"
    return f"PDF · {whom} · {packet.reason} · {ground} · {parts} · {packet.digest[:12]}"
