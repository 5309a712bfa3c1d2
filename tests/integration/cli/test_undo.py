"""Undo and derived answers as a user meets them, with real files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Command, scripted_command

SECRET = "blue stone"
USER = ("--user", "ann")


def script(body: dict[str, Any]) -> str:
    prompt = str(body["messages"])
    return f"It lies under the {SECRET}." if SECRET in prompt else "Nobody told me."


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Command]:
    home = tmp_path / "home"
    with scripted_command(script, monkeypatch, capsys, home, PERSONAAGENT_SUMMARY_EVERY="0") as (
        command,
        _,
    ):
        yield command


def asked(command: Command, text: str) -> str:
    return str(command("ask", text, *USER, "--json").data["episode_id"])


def test_forgetting_shows_the_answers_drawn_from_it_and_no_file_has_them_afterwards(
    command: Command, tmp_path: Path
) -> None:
    told = asked(command, f"The key lies under the {SECRET}.")
    drawn = asked(command, "Where is the key?")
    export = tmp_path / "episodes.jsonl"
    command("memory", "export", *USER, "--out", str(export))

    shown = command("memory", "forget", told, *USER, stdin=b"n\n", terminal=True)
    assert "Answers that were drawn from it" in shown.err
    assert "Where is the key?" in shown.err
    receipt = command("memory", "forget", told, *USER, "--yes", "--json").data
    assert (receipt["blanked"], receipt["remaining"]) == ([drawn], [])
    for file in (tmp_path / "home").rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes(), file.name

    again = command("memory", "import", str(export), *USER)
    assert "1 of them you have forgotten: left out; --include-forgotten" in again.out
    assert command("memory", "import", str(export), *USER, "--include-forgotten").code == 0
    assert command("memory", "show", told, *USER).code == 0


def test_undo_shows_asks_and_goes_back_one_change_at_a_time(command: Command) -> None:
    episode = asked(command, "Hello")
    command("feedback", episode, *USER, "--edit", "Hello, Ann.")
    command("persona", "edit", *USER, "--add", "Be brief.")

    off = command("undo", *USER)
    assert (off.code, "Be brief." in off.err, "--yes" in off.err) == (2, True, True)
    declined = command("undo", *USER, stdin=b"n\n", terminal=True)
    assert (declined.code, "Nothing was undone." in declined.err) == (2, True)
    assert "Be brief." in command("persona", "show", *USER).out

    done = command("undo", *USER, stdin=b"y\n", terminal=True)
    assert (done.code, "Undone: version 2" in done.out) == (0, True)
    assert "Be brief." not in command("persona", "show", *USER).out
    assert command("undo", *USER, "--yes", "--json").data["kind"] == "feedback"
    assert command("memory", "show", episode, *USER, "--json").data["ground_truth"] is None
    nothing = command("undo", *USER, "--yes")
    assert (nothing.code, "forgotten cannot be brought back" in nothing.err) == (2, True)


def test_a_chat_undoes_too(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"query": "my dog", "response": "Bo"}))
    command("memory", "import", str(file), *USER)
    chat = command("chat", *USER, stdin=b"/undo\nn\n/undo\ny\n/quit\n")
    assert "Nothing was undone." in chat.err
    assert "Undone: import" in chat.out
    assert command("memory", "list", *USER, "--json").data == []
