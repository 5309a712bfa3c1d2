"""Alignment and forgetting over the API of a server that keeps no two runs apart by itself."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import httpx
from langgraph_sdk.errors import NotFoundError

from personaagent.core.alignment import ProposalDecision
from personaagent.core.errors import Conflict
from personaagent.server.alignment_queue import queue_alignment, resume_alignment
from personaagent.server.forgetting import forget_user
from tests.support.memories import index_in_memory, memory_of


def not_found() -> NotFoundError:
    """What the SDK raises where there is no such thing."""
    response = httpx.Response(404, request=httpx.Request("GET", "http://localhost"))
    return NotFoundError("not found", response=response, body=None)


REFUSED = ProposalDecision(decision="refuse")


class Server:
    """Lets every run begin. A proposal waits on each thread; each cron may fire at any moment."""

    def __init__(self, *crons: str) -> None:
        self.begun: list[dict[str, Any]] = []
        self.left = list(crons)
        self.left_then: list[str] = []
        waits = {"tasks": [{"interrupts": [{"value": {}}]}]}
        self.runs = SimpleNamespace(create=self._begin, list=self._unfinished)
        self.threads = SimpleNamespace(
            create=AsyncMock(),
            get_state=AsyncMock(return_value=waits),
            get=self._no_thread,
            delete=AsyncMock(),
            search=self._threads,
        )
        self.crons = SimpleNamespace(search=self._crons, delete=self._delete_cron)
        self.assistants = SimpleNamespace(search=AsyncMock(return_value=[]), delete=AsyncMock())

    async def _begin(self, _: str, __: str, **run: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.begun.append(run)
        return run

    async def _unfinished(self, _: str, *, limit: int, status: str) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return self.begun[:limit] if status == "pending" else []

    async def _no_thread(self, _: str) -> None:
        raise not_found()

    async def _threads(self, **_: Any) -> list[Any]:
        self.left_then += self.left
        return []

    async def _crons(
        self, *, thread_id: str = "", limit: int = 10, offset: int = 0
    ) -> list[dict[str, Any]]:
        of_the_user = [{"cron_id": each, "metadata": {"owner": "anna"}} for each in self.left]
        return [] if thread_id else of_the_user[offset : offset + limit]

    async def _delete_cron(self, cron: str) -> None:
        self.left.remove(cron)


async def test_of_two_answers_at_one_moment_one_counts() -> None:
    server: Any = Server()
    answers = [resume_alignment(server, "anna", REFUSED) for _ in range(2)]
    _, second = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(second, Conflict)
    assert [run["command"] for run in server.begun] == [{"resume": REFUSED.stored()}]


async def test_an_answer_and_a_wish_at_one_moment_are_one_run() -> None:
    server: Any = Server()
    both = queue_alignment(server, "anna", "request"), resume_alignment(server, "anna", REFUSED)
    _, answer = await asyncio.gather(*both, return_exceptions=True)
    assert isinstance(answer, Conflict)
    assert [run["input"] for run in server.begun] == [{"trigger": "request"}]


async def test_no_cron_may_fire_while_a_user_is_forgotten(tmp_path: Path) -> None:
    server: Any = Server("every night", "every hour")
    anna = memory_of("anna", tmp_path, index=index_in_memory())
    shared: Any = SimpleNamespace(drop_lock=AsyncMock())
    await forget_user(anna, server, shared)
    assert (server.left, server.left_then) == ([], [])
