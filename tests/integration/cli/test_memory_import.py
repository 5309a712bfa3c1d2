"""``memory import`` of other assistants' exports: as they were downloaded, with a preview."""

import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.chat_exports import chatgpt, chatgpt_message, claude
from tests.support.command import Command, scripted_command


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Command]:
    with scripted_command(
        lambda body: "Noted.",
        monkeypatch,
        capsys,
        tmp_path / "home",
        PERSONAAGENT_SUMMARY_EVERY="0",
    ) as (command, _):
        yield command


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two exchanges, a picture with its answer, and a conversation that is none."""
    said, answer = chatgpt_message, chatgpt_message("assistant", "a")
    pictures = chatgpt("c", said("user", "One?"), answer, said("user", {"size": 5}), answer)
    path = tmp_path / "export.zip"
    with ZipFile(path, "w") as file:
        parts = [[pictures, chatgpt("broken")], [chatgpt("d", said("user", "Two?"), answer)]]
        for number, part in enumerate(parts):
            file.writestr(f"conversations-{number:03d}.json", json.dumps(part))
        file.writestr("user.json", "{}")
    return path


LEFT_OUT = """\
Left out: 1 conversation.
- conversations-000.json, conversation 2 ("A title"): it has no messages
Left out of the others:
- a message of yours without text, such as a picture or a file: 1
"""


def test_a_preview_shows_what_an_import_then_does(command: Command, archive: Path) -> None:
    preview = command("memory", "import", str(archive), "--user", "ann", "--dry-run")
    assert (preview.code, preview.err) == (0, "")
    assert preview.out == (
        "2 episodes in the file (2 from chatgpt), of 2023-11-14.\n"
        f"2 episodes would be added.\n{LEFT_OUT}Nothing was written.\n"
    )
    imported = command("memory", "import", str(archive), "--user", "ann")
    assert imported.out == f"2 episodes added, 0 were there already.\n{LEFT_OUT}"
    again = command("memory", "import", str(archive), "-u", "ann", "--dry-run", "--json").data
    assert (again["new"], again["known"], again["left_out"]) == (0, 2, 1)


def test_an_export_without_anything_to_import_names_what_it_saw(
    command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([claude("c", ("human", "Anybody?"))]))
    for arguments in ((), ("--dry-run",)):
        refused = command("memory", "import", str(path), "--user", "ann", *arguments)
        assert (refused.code, refused.out) == (5, "")
        assert 'conversation 1 ("A name"): it has no message of yours with an answer' in refused.err
        assert "Nothing was imported: conversations.json holds no conversation" in refused.err
