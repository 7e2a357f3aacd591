"""The parse server: Rasa's contract, a token, and clear answers to bad bodies."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from nlu.server import Server


class Parsed:
    """A model that says the same of every text."""

    def parse(self, texts: list[str]) -> list[dict[str, Any]]:
        return [{"text": text, "intent": {"name": "greet", "confidence": 1.0}, "entities": [], "intent_ranking": []} for text in texts]


class Contract(unittest.IsolatedAsyncioTestCase):
    """Over HTTP."""

    async def asyncSetUp(self) -> None:
        server = Server(Parsed(), {"model": "abc"}, "secret")  # type: ignore[arg-type]
        self.client = TestClient(TestServer(server.app()))
        await self.client.start_server()

    async def asyncTearDown(self) -> None:
        await self.client.close()

    async def post(self, body: Any, token: str = "secret", **more: Any) -> tuple[int, Any]:
        async with self.client.post("/model/parse", data=body, headers={"X-Nlu-Token": token, **more}) as answer:
            return answer.status, await answer.json()

    async def test_one_text_and_several(self) -> None:
        status, found = await self.post('{"text": "/restart", "message_id": "m1"}')
        self.assertEqual((status, found["text"], found["message_id"]), (200, "/restart", "m1"))
        status, found = await self.post('{"texts": ["a", "b"]}')
        self.assertEqual((status, [row["text"] for row in found["results"]]), (200, ["a", "b"]))

    async def test_each_of_many_at_once_gets_its_own_answer(self) -> None:
        found = await asyncio.gather(*(self.post(f'{{"text": "t{n}", "message_id": "m{n}"}}') for n in range(40)))
        self.assertEqual([(row["text"], row["message_id"]) for _, row in found], [(f"t{n}", f"m{n}") for n in range(40)])

    async def test_bad_bodies_are_refused_in_words(self) -> None:
        for body in ("", "[]", "{}", '{"text": 5}', '{"texts": "a"}', '{"text": "a", "message_id": 5}', "[" * 5000):
            status, found = await self.post(body)
            self.assertEqual(status, 400, body[:20])
            self.assertIn("send", found["error"])

    async def test_the_token_is_asked_for(self) -> None:
        self.assertEqual((await self.post('{"text": "a"}', token="wrong"))[0], 401)

    async def test_status_tells_the_model(self) -> None:
        async with self.client.get("/status") as answer:
            found = await answer.json()
        self.assertEqual(found["model"], "abc")
        self.assertGreater(found["rss_mb"], 0)
