"""``memory import`` and ``memory export`` of files of episodes, end to end: what is added and refused."""

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_exports import claude
from tests.support.command import Command
from tests.support.memory_commands import command, file, home, imported

__all__ = ["command", "file", "home", "imported"]  # fixtures, by name


def test_import_says_what_it_did_and_adds_nothing_twice(imported: Command, file: Path) -> None:
    again = imported("memory", "import", str(file), "--user", "ann")
    assert (again.code, again.out) == (0, "0 episodes added, 3 were there already.\n")
    assert again.err == ""


def test_an_import_says_what_the_profile_has_not_read(command: Command, file: Path) -> None:
    first = command("memory", "import", str(file), "--user", "ann")
    assert "The profile has not read 3 episodes yet: `personaagent profile refresh`" in first.err
    assert command("memory", "import", str(file), "-u", "ann", "--json").data["to_summarise"] == 3


def test_a_chat_export_is_told_by_its_content(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "whatever.txt"
    path.write_text(json.dumps([claude("c", ("human", "One?"), ("assistant", "1"))]))
    assert command("memory", "import", str(path), "-u", "ann", "--json").data["added"] == 1


def test_errors_of_a_file_are_named_one_a_line(command: Command, file: Path, home: Path) -> None:
    file.write_text(file.read_text() + '\nnonsense\n{"query": "q"}\n')
    result = command("memory", "import", str(file), "-u", "ann", "--json")
    assert (result.code, result.out) == (5, "")
    first, second, last = result.err.splitlines()
    assert first.startswith("history.jsonl, line 4: is not valid JSON")
    assert second == "history.jsonl, line 5: response: Field required"
    assert last == (
        "Error: Nothing was imported: history.jsonl has 2 errors; "
        "correct the file and import it again."
    )
    assert command("memory", "list", "-u", "ann").code == 5


@pytest.mark.parametrize("path", ["missing.jsonl", "/proc/self/mem", "closed.jsonl"])
def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_code_5(
    path: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed.jsonl"
    closed.touch()
    access, opened = os.access, Path.open

    def refuse(file: Path, *arguments: Any, **options: Any) -> Any:
        if file == closed:  # whoever runs the tests may be root, to whom nothing is closed
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return opened(file, *arguments, **options)

    monkeypatch.setattr(
        os, "access", lambda file, mode: Path(file) != closed and access(file, mode)
    )
    monkeypatch.setattr(Path, "open", refuse)
    result = command("memory", "import", str(tmp_path / path), "-u", "ann")
    assert (result.code, result.out) == (5, "")
    assert re.fullmatch(r"Error: \S+ cannot be read: [^\n]+\.\n", result.err)


def test_what_is_exported_is_imported_as_it_was(imported: Command, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = imported("memory", "export", "-u", "ann", "--out", str(out))
    assert (result.code, result.out) == (0, "")
    assert "3 episodes written" in result.err
    assert imported("memory", "export", "-u", "ann").out == out.read_text()
    assert imported("memory", "import", str(out), "-u", "bob", "--json").data["added"] == 3
    assert imported("memory", "export", "-u", "bob").out == out.read_text()
