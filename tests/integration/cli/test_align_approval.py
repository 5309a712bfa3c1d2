"""A machine on which alignment always asks its user (``PERSONAAGENT_APPROVAL=ask``)."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from personaagent.cli.chat import handle_line
from personaagent.cli.chat_session import ChatSession
from personaagent.core.errors import Unapproved
from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from tests.support.alignment_command import ALIGN, WANTED, Script, remember, versions
from tests.support.command import Command, scripted_command

script = Script()


@pytest.fixture
def command(monkeypatch, capsys, tmp_path) -> Iterator[Command]:
    """The command in which Anna has five walks."""
    ours = {"PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge", "PERSONAAGENT_APPROVAL": "ask"}
    with scripted_command(script, monkeypatch, capsys, tmp_path / "home", **ours) as (command, _):
        remember(command, tmp_path, "anna")
        yield command


def test_align_shows_change_evidence_and_answers_and_publishes_what_is_approved(
    command: Command,
) -> None:
    refused = command(*ALIGN, stdin=b"n\n")
    assert f"+ r4  {WANTED[0]}" in refused.err
    assert "you wanted: The walk to the oak forest takes an hour measured in" in refused.err
    assert "before: The walk to the old mill takes an hour" in refused.err
    assert "Publish these rules? [y/N]" in refused.err
    assert versions(command) == ["initial"]
    assert command(*ALIGN, stdin=b"y\n").code == 0
    assert versions(command) == ["initial", "alignment"]


def test_all_users_together_can_be_asked_nothing(command: Command) -> None:
    result = command("align", "--all", "--after", "1")
    assert result.code == 2
    assert (
        "What was learned about 'anna' waits for their approval: `personaagent align`" in result.err
    )
    assert versions(command) == ["initial"]
    command(*ALIGN, stdin=b"y\n")
    assert versions(command) == ["initial", "alignment"]


async def test_in_chat_what_was_learned_waits_and_is_said(command: Command) -> None:
    async with open_local(load_settings()) as agent:
        await handle_line(ChatSession(agent, "anna", "t"), "/align")
        with suppress(Unapproved):
            await agent.align_in_background("anna")
    told = command.capsys.readouterr().err
    assert "What was learned about 'anna' waits for their approval" in told
    assert "failed" not in told
