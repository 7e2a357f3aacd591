"""A referral as a PDF, in every script we speak."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.referrals import Packet, Part


class Packets:
    """`bot.ports.PacketWriter`."""

    def write(self, packet: Packet, words: Mapping[str, str]) -> bytes:
        """Return the PDF."""
        from bot.clients.pdf import HEADING, TITLE, Page  # noqa: PLC0415 - takes a second to load, and is seldom needed

        pdf = Page(f"{words['title']} {packet.case_id}", words["confidential"], packet.at)
        pdf.add_page()
        pdf.say(words["title"], TITLE)
        pdf.warn(words["confidential"])
        for name, value in _head(packet, words):
            pdf.pair(name, value)
        pdf.ln(3)
        pdf.say(words["passed_on"], HEADING)
        for name, value in packet.facts:
            pdf.pair(name, value)
        return bytes(pdf.output())


def _head(packet: Packet, words: Mapping[str, str]) -> list[tuple[str, str]]:
    basis = words[f"basis.{packet.basis.value}"]
    left_out = [words[f"part.{part.value}"] for part in Part if part not in packet.parts]
    return [
        (words["number"], packet.case_id),
        (words["date"], f"{packet.at:%d-%m-%Y %H:%M} UTC"),
        (words["who"], packet.who),
        (words["recipient"], f"{words['recipient.' + packet.recipient.value]}: {packet.office}"),
        (words["reason"], packet.reason),
        (words["basis"], f"{basis} {packet.consent}".strip()),
        (words["left_out"], ", ".join(left_out) or "–"),
        (words["digest"], packet.digest),
    ]
