"""An endpoint that misbehaves over real HTTP: one sentence, the right exit code, nothing lost."""

from typing import Any

import pytest

from tests.support.command import scripted_command
from tests.support.endpoint import Cut, Raw, Reply, Stall, Status, ToolCall

SHORTLY = {"Retry-After": "0.01"}


@pytest.mark.parametrize(
    ("reply", "code", "said", "asked"),
    [
        (Status(401), 3, "OPENAI_API_KEY", 1),
        (Status(404), 3, "PERSONAAGENT_MODEL|model's name", 1),
        (Status(429, headers=SHORTLY), 4, "too busy", 2),
        (Status(500, headers=SHORTLY), 4, "unavailable", 2),
        (Stall(), 4, "stopped answering", 2),
        (Stall("Half an"), 4, "stopped answering", 2),
        (Cut(), 4, "broke|broken", 2),
        (Cut(clean=True), 4, "broke off", 2),
        (Raw("{ this is no JSON"), 4, "cannot be read", 1),
        (Raw("<html>Bad gateway</html>", "text/html"), 4, "cannot be read|broke off|empty", 1),
        ("", 4, "empty answer", 1),
    ],
    ids=str,
)
def test_a_turn_that_fails(
    reply: Reply, code: int, said: str, asked: int, monkeypatch, capsys, tmp_path
) -> None:
    def script(body: dict[str, Any]) -> Reply:
        return reply if "now" in body["messages"][-1]["content"] else "Hello."

    with scripted_command(
        script,
        monkeypatch,
        capsys,
        tmp_path / "home",
        PERSONAAGENT_MODEL_TIMEOUT="0.5",
        PERSONAAGENT_MODEL_RETRIES="1",
    ) as (command, endpoint):
        before = command("ask", "Remember me.", "-u", "ann", "--json").data
        endpoint.requests.clear()
        result = command("ask", "Fail now.", "-u", "ann", "--json")
        requests = [each for each in endpoint.requests if each.path.endswith("/completions")]
        kept = command("memory", "list", "-u", "ann", "--json").data

    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("Error: ")
    assert result.err.count("\n") == 1
    assert any(part in result.err for part in said.split("|")), result.err
    assert len(requests) == asked
    assert [episode["id"] for episode in kept] == [before["episode_id"]]


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ([ToolCall("open_door", {})], "open_door is not a valid tool"),
        ([ToolCall("recall_episodes", {"k": "many"})], "query"),
        ([ToolCall("recall_episodes", "{ no JSON")], "query"),
    ],
    ids=["unknown tool", "wrong arguments", "arguments that are no JSON"],
)
def test_a_tool_call_that_cannot_be_is_told_to_the_model(
    calls: list[ToolCall], told: str, monkeypatch, capsys, tmp_path
) -> None:
    def script(body: dict[str, Any]) -> Reply:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return "I could do it without." if told in last["content"] else "Nobody told me."
        return calls

    with scripted_command(script, monkeypatch, capsys, tmp_path / "home") as (command, _):
        result = command("ask", "Open the door.", "-u", "ann", "--json")
    assert result.code == 0
    assert result.data["reply"] == "I could do it without."
