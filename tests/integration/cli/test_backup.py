"""Backup and restore as a user runs them: two data folders, models over HTTP that read their prompts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.support.alignment_command import ALIGN, Script, remember, rules
from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint

QUESTION = "Tell me about the oak forest in Lisbon, where Anna lives?"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def scripted(monkeypatch, capsys, home: Path) -> Iterator[tuple[Command, Endpoint]]:
    rouge = {"PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge"}
    with scripted_command(Script(), monkeypatch, capsys, home, **rouge) as both:
        yield both


@pytest.fixture
def archive(command: Command, tmp_path: Path) -> Path:
    """The archive of Anna, who has a history, three versions, a lock and statements."""
    remember(command, tmp_path, "anna")
    assert command(*ALIGN).code == 0
    assert command("persona", "lock", "r4", "-u", "anna").code == 0
    for text in ("Anna lives in Lisbon.", "Anna has a dog."):
        assert command("profile", "add", text, "-u", "anna").code == 0
    assert command("profile", "lock", "s2", "-u", "anna").code == 0
    file = tmp_path / "anna.zip"
    written = command("backup", str(file), "-u", "anna")
    assert (written.code, written.err) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    return file


def move(command: Command, tmp_path: Path, name: str = "other") -> None:
    """Go to another machine, with a data folder of its own."""
    command.monkeypatch.setenv("PERSONAAGENT_HOME", str(tmp_path / name))


def prompt(command: Command, endpoint: Endpoint, user: str = "anna") -> Any:
    """All that the model is shown for a question that leaves nothing behind."""
    before = len(endpoint.requests)
    assert command("ask", QUESTION, "-u", user, "--incognito").code == 0
    asked = [each for each in endpoint.requests[before:] if "messages" in each.body]
    return json.dumps(asked[0].body["messages"])


def everything(command: Command, user: str = "anna") -> list[Any]:
    """All that the commands show of a user."""
    return [
        command("memory", "export", "-u", user).out,
        command("persona", "history", "-u", user, "--json").data,
        command("profile", "show", "-u", user, "--json").data,
        command("profile", "history", "-u", user, "--json").data,
    ]


def test_the_same_question_gets_the_same_prompt_after_a_move(
    command: Command, endpoint: Endpoint, archive: Path, tmp_path: Path
) -> None:
    shown, before = everything(command), prompt(command, endpoint)
    assert "Anna lives in Lisbon." in before
    move(command, tmp_path)
    restored = command("restore", str(archive), "--json").data
    assert (restored["added"], restored["persona"], restored["profile"]) == (
        5,
        "restored",
        "restored",
    )
    assert restored["settings"] == {}
    assert everything(command) == shown
    assert prompt(command, endpoint) == before


def test_a_restore_adds_to_what_is_there_and_changes_nothing(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    shown = everything(command)
    again = command("restore", str(archive), "--json").data
    assert (again["added"], again["skipped"]) == (0, 5)
    assert (again["persona"], again["profile"]) == ("the same", "the same")
    assert everything(command) == shown

    move(command, tmp_path)
    assert command("persona", "edit", "--add", "Answer in Dutch.", "-u", "anna").code == 0
    assert command("profile", "add", "Anna has a dog.", "-u", "anna").code == 0
    merged = command("restore", str(archive))
    assert "Persona kept as it is here" in merged.out
    assert "Profile kept as it is here, because both have changed; 1 statement added" in merged.out
    assert "Answer in Dutch." in rules(command)
    statements = command("profile", "show", "-u", "anna", "--json").data["summary"]
    assert [each["text"] for each in statements] == ["Anna has a dog.", "Anna lives in Lisbon."]


def test_a_restore_can_replace_what_is_there(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    shown = everything(command)
    move(command, tmp_path)
    assert command("persona", "edit", "--add", "Answer in Dutch.", "-u", "anna").code == 0
    refused = command("restore", str(archive), "--replace")
    assert (refused.code, "add --yes" in refused.err) == (2, True)
    assert "Answer in Dutch." in rules(command)
    assert command("restore", str(archive), "--replace", "--yes").code == 0
    assert everything(command) == shown


def test_a_restore_may_be_for_another_user(
    command: Command, endpoint: Endpoint, archive: Path, tmp_path: Path
) -> None:
    shown, before = everything(command), prompt(command, endpoint)
    assert command("restore", str(archive), "-u", "ben").code == 0
    assert everything(command, "ben")[1:] == shown[1:]
    assert prompt(command, endpoint, "ben") == before
    assert command("memory", "list", "-u", "ben", "--json").data[0]["user_id"] == "ben"


def test_what_was_forgotten_here_stays_forgotten(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    [first, *_] = command("memory", "list", "-u", "anna", "--json").data
    assert command("memory", "forget", first["id"], "-u", "anna", "--yes").code == 0
    restored = command("restore", str(archive))
    assert "You have forgotten 1 of them here: left out." in restored.out
    ids = [each["id"] for each in command("memory", "list", "-u", "anna", "--json").data]
    assert len(ids) == 4
    assert first["id"] not in ids

    replaced = command("restore", str(archive), "--replace", "--yes")
    assert "You have forgotten 1 of them here: left out." in replaced.out

    second = tmp_path / "second.zip"
    assert command("backup", str(second), "-u", "anna").code == 0
    move(command, tmp_path)
    assert command("restore", str(second)).code == 0
    assert "forgotten 1" in command("restore", str(archive)).out, "also on another machine"


def test_an_archive_can_be_encrypted(command: Command, archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "anna.age"
    command.monkeypatch.setenv("PERSONAAGENT_PASSPHRASE", "correct horse")
    assert command("backup", str(file), "-u", "anna", "--encrypt").code == 0
    assert file.read_bytes().startswith(b"age-encryption.org/v1\n")
    move(command, tmp_path)
    command.monkeypatch.setenv("PERSONAAGENT_PASSPHRASE", "wrong")
    wrong = command("restore", str(file))
    assert (wrong.code, "the passphrase is wrong" in wrong.err) == (5, True)
    command.monkeypatch.delenv("PERSONAAGENT_PASSPHRASE")
    missing = command("restore", str(file))
    assert (missing.code, "set PERSONAAGENT_PASSPHRASE" in missing.err) == (2, True)
    assert command("memory", "list", "-u", "anna").code == 5, "nothing was written"
    command.monkeypatch.setenv("PERSONAAGENT_PASSPHRASE", "correct horse")
    assert command("restore", str(file)).code == 0


def test_a_person_can_read_it(archive: Path) -> None:
    with ZipFile(archive) as members:
        assert "Anna lives in Lisbon." in members.read("profile.md").decode()
        assert "(locked)" in members.read("persona.md").decode()
        assert "anna" in members.read("README.md").decode()
        assert len(members.read("episodes.jsonl").splitlines()) == 5


def test_a_file_is_not_replaced_unasked(command: Command, archive: Path) -> None:
    before = archive.read_bytes()
    refused = command("backup", str(archive), "-u", "anna")
    assert (refused.code, "add --force" in refused.err) == (2, True)
    assert archive.read_bytes() == before
    assert command("backup", str(archive), "-u", "anna", "--force").code == 0


@pytest.mark.parametrize("damage", ["cut", "foreign", "text", "changed", "newer", "record"])
def test_what_is_not_a_sound_archive_changes_nothing(
    damage: str, command: Command, archive: Path, tmp_path: Path
) -> None:
    file = damaged(archive, tmp_path / "damaged.zip", damage)
    move(command, tmp_path)
    refused = command("restore", str(file))
    assert refused.code == 5
    assert "archive" in refused.err
    assert "Traceback" not in refused.err
    assert command("memory", "list", "-u", "anna").code == 5, "nothing was written"


def damaged(archive: Path, file: Path, damage: str) -> Path:
    """The archive with this damage."""
    content = archive.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "text":
        file.write_text("Dear diary.")
    elif damage == "foreign":
        with ZipFile(file, "w") as other:
            other.writestr("holiday.txt", "Sun.")
    else:
        with ZipFile(archive) as old, ZipFile(file, "w") as new:
            for name in old.namelist():
                new.writestr(name, edited(name, old.read(name).decode(), damage))
    return file


def edited(name: str, text: str, damage: str) -> str:
    if damage == "newer" and name == "manifest.json":
        return json.dumps(json.loads(text) | {"format": 99})
    if damage == "changed" and name == "profile.jsonl":
        return text.replace("Lisbon", "Malmoe")
    if damage == "record" and name == "manifest.json":
        return json.dumps(json.loads(text) | {"sha256": {}})
    return text
