"""The memory commands on a history that was imported: their fixtures, and a canary to look for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Command, scripted_command
from tests.support.endpoint import Reply, Status, ToolCall

CANARY = "zq7canary"


def script(body: dict[str, Any]) -> Reply:
    """Answers by the last message; the critic finds the canary where it stands in an episode."""
    last = body["messages"][-1]["content"]
    if last == "Look it up.":
        return [ToolCall("recall_episodes", {"query": CANARY, "k": 1})]
    if last == "Break off.":
        return Status(400)
    prompt = "\n".join(str(message["content"]) for message in body["messages"])
    if "short profile of one user" not in prompt:
        return "Noted."
    shown = re.search(rf"(E\d+): the user asked: [^\n]*{CANARY}", prompt)
    evidence = [shown[1]] if shown else []
    change = {"statement": "new", "text": f"The user keeps a {CANARY}.", "evidence": evidence}
    return json.dumps({"changes": [change]})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> Iterator[Command]:
    with scripted_command(script, monkeypatch, capsys, home, PERSONAAGENT_SUMMARY_EVERY="0") as (
        command,
        _,
    ):
        yield command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl"
    lines = [
        {"id": "tea", "query": "Which tea is mine?", "response": "Black", "ground_truth": "Green"},
        {"id": "dog", "query": "My dog is called Rex", "response": "Nice", "task": "pets"},
        {"id": "old", "query": "An old story", "response": "Yes", "created_at": "2001-02-03"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.fixture
def imported(command: Command, file: Path) -> Command:
    result = command("memory", "import", str(file), "--user", "ann", "--json")
    assert result.data == {
        "added": 3,
        "skipped": 0,
        "forgotten": 0,
        "to_summarise": 3,
        "warnings": [],
        "left_out": 0,
        "problems": [],
        "messages_left_out": {},
        "cancelled": False,
    }
    assert result.err == ""
    return command
