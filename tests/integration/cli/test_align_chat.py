"""Alignment beside a conversation, over real files and HTTP."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from personaagent.cli.chat import handle_line
from personaagent.cli.chat_session import ChatSession
from personaagent.core.alignment_state import alignment_thread
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from tests.support.alignment import PREFERENCES, Scripted, walks
from tests.support.alignment_endpoint import chats, over_http, role_of
from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint, Reply, Stall, Status

RULE, SAID = next(iter(PREFERENCES.items()))


class Script:
    """The models of alignment; the critic's answer is held or refused where that is asked for."""

    def __init__(self) -> None:
        self.respond = over_http(Scripted())
        self.critic: Reply | None = None
        self.asked = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        if role_of(body) == "critic":
            self.asked.set()
            if self.critic is not None:
                return self.critic
        return self.respond(body)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def both(script, monkeypatch, capsys, tmp_path) -> Iterator[tuple[Command, Endpoint]]:
    variables = {"ALIGN_TEXT_METRIC": "rouge", "ALIGN_AFTER": "0", "SUMMARY_EVERY": "0"}
    ours = {f"PERSONAAGENT_{name}": value for name, value in variables.items()}
    with scripted_command(script, monkeypatch, capsys, tmp_path / "home", **ours) as both:
        yield both


@pytest.fixture
async def agent(both) -> AsyncIterator[LocalAgent]:
    """The agent, with five walks of Anna's."""
    async with open_local(load_settings()) as agent:
        await agent.memory("anna").episodes.add(walks(5, [RULE]))
        yield agent


def told(both: tuple[Command, Endpoint]) -> str:
    """What was told on standard error since this was last asked."""
    return both[0].capsys.readouterr().err


async def test_the_next_answer_uses_what_was_learned_and_says_so_once(both, agent) -> None:
    chat = ChatSession(agent, "anna", "t")
    await handle_line(chat, "/align")
    await handle_line(chat, "/align")
    begun = told(both)
    assert begun.count("Learning from your feedback") == 1
    assert "An alignment is already running." in begun
    await agent.align_in_background("anna")
    news = told(both)
    assert f"Learned: {RULE[0].lower()}{RULE[1:-1]} (" in news
    assert "of your 5 questions got better). /undo" in news
    await handle_line(chat, "Tell me about the barn?")
    shown = both[0].capsys.readouterr()
    assert SAID in shown.out
    assert "Your persona is now at version 2: /persona shows it." in shown.err
    await handle_line(chat, "Tell me about the barn?")
    assert told(both) == ""


async def test_enough_new_labels_begin_one(both, agent, monkeypatch) -> None:
    monkeypatch.setenv("PERSONAAGENT_ALIGN_AFTER", "2")
    async with open_local(load_settings()) as agent:
        chat = ChatSession(agent, "anna", "t")
        await handle_line(chat, "Tell me about the barn?")
        assert "Learning" in told(both)
        await agent.align_in_background("anna")
        for line, missing in (("/good", True), ("Tell me about the pier?", False)):
            await handle_line(chat, line)
            news = told(both)
            assert "Learning" not in news
            assert ("1 correction more until I learn." in news) == missing
        await handle_line(chat, "/good")
        assert "Learning" in told(both)
        await agent.align_in_background("anna")
        assert "Nothing was learned: no edit was accepted in two rounds." in told(both)


async def test_none_begins_by_itself_where_that_is_set_so(both, agent) -> None:
    chat = ChatSession(agent, "anna", "t")
    for line in ("Tell me about the barn?", "/good", "/fix Sing."):
        await handle_line(chat, line)
    assert "Learning" not in told(both)


async def test_one_that_fails_is_told_and_not_begun_again(both, agent, script, monkeypatch) -> None:
    script.critic = Status(401)
    monkeypatch.setenv("PERSONAAGENT_ALIGN_AFTER", "2")
    async with open_local(load_settings()) as agent:
        chat = ChatSession(agent, "anna", "t")
        await handle_line(chat, "Tell me about the barn?")
        await asyncio.gather(agent.align_in_background("anna"), return_exceptions=True)
        assert "Warning: The alignment failed: The model endpoint" in told(both)
        await handle_line(chat, "Tell me about the pier?")
        assert "Learning" not in told(both)
        script.critic = None
        await handle_line(chat, "/align")
        await agent.align_in_background("anna")
        assert "Learned" in told(both)


async def test_the_end_of_the_chat_does_not_wait_and_the_next_goes_on(both, agent, script) -> None:
    script.critic = Stall()
    async with open_local(load_settings()) as leaving:
        await handle_line(ChatSession(leaving, "anna", "t"), "/align")
        assert await asyncio.to_thread(script.asked.wait, 60)
    assert "The alignment was interrupted. The next one resumes it." in told(both)
    script.critic = None
    _, endpoint = both
    before = len(endpoint.requests)
    assert (await agent.align("anna")).to_version == 2
    finished, later = chats(endpoint.requests[:before])[:-1], chats(endpoint.requests[before:])
    assert finished
    assert not set(finished).intersection(later)


async def test_forgetting_breaks_off_what_goes_on_beside(both, agent, script) -> None:
    script.critic = Stall()
    task = agent.align_in_background("anna")
    assert await asyncio.to_thread(script.asked.wait, 60)
    receipt = await agent.forget("anna", ["walk4"])
    assert task.cancelled()
    assert receipt.threads == [alignment_thread("anna")]
    assert receipt.simulations > 0
