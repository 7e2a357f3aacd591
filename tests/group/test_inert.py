"""F13 in the responders' Telegram group: what a person writes is sent as words, never as markup."""

from __future__ import annotations

from tests.browser.corpus import CORPUS, PLAIN, sheets
from tests.group.conftest import Team, until


async def test_a_topic_shows_the_corpus_as_words(team: Team) -> None:
    """Every string stands in the topic; no message names a way of reading markup, an entity or a link to preview."""
    await team.claimed()
    for text in sheets(3000):
        await team.site.chat.say(text)
    topic = team.forum.one()
    await until(lambda: any(CORPUS[-1][-40:] in text for text in topic.said), 60)
    told = "\n".join(topic.said)
    assert [text for text in PLAIN if text not in told] == []
    sent = [fields for method, fields in team.forum.calls if method in {"sendMessage", "editMessageText"}]
    assert sent and not any({"parse_mode", "entities"} & set(fields) for fields in sent)
