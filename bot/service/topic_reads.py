"""What the owner of a case has read in its topic. Telegram says of nobody that they have read: what they do tells it.

Whoever writes, presses a button or puts a sign under a message has what stands above it before their eyes.
"""

from __future__ import annotations

from bot.domain.cases import Case
from bot.domain.topics import GroupUpdate
from bot.ports import Cases, Topics
from bot.service.linking import Linking


class TopicReads:
    """The same as opening the case in the console, as far as its topic has come."""

    def __init__(self, cases: Cases, topics: Topics, linking: Linking) -> None:  # noqa: D107
        self._cases = cases
        self._topics = topics
        self._linking = linking

    async def reaction(self, update: GroupUpdate) -> None:
        """Somebody put a sign under a message of ours: if the case is theirs, they have read so far."""
        topic = await self._topics.of_post(update.chat, update.message)
        who = await self._linking.who(update.sender) if topic else None
        case = await self._cases.get(topic.case_id) if topic and who else None
        if case and who:
            await self.up_to(case, who.id, update.message)

    async def up_to(self, case: Case, who: str, message: int) -> None:
        """Note that *who* has read up to a message, if nothing that the person has said stands after it, or nowhere."""
        if case.owner == who and await self._topics.all_above(case.id, (case.conversation_id, *case.also), message):
            await self._cases.read_by(case.id, who, case)
