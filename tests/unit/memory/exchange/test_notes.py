"""Statements from pasted memory, and from the hidden messages of a ChatGPT export."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from personaagent.core.errors import Unreadable
from personaagent.memory.exchange.notes import Notes, read_notes


def notes_of(tmp_path: Path, text: str, source: str | None = None) -> Notes:
    file = tmp_path / "notes.md"
    file.write_bytes(text.encode())
    return read_notes(file, source)


def test_each_line_is_a_statement_without_its_mark(tmp_path: Path) -> None:
    text = (
        "\ufeff# About me\n\n**Work context**\n- Works as a **nurse**\n* Has a boat\r\n"
        "\u2022 Likes rye\n12. Speaks Dutch\n> Lives in Malm\u00f6\n---\n```\nPlain line.\n```\n-\n"
    )
    notes = notes_of(tmp_path, text, "claude")
    assert notes.texts == [
        "Works as a nurse",
        "Has a boat",
        "Likes rye",
        "Speaks Dutch",
        "Lives in Malm\u00f6",
        "Plain line.",
    ]
    assert notes.source == "claude"


def test_numbers_dates_and_letters_of_a_statement_stay(tmp_path: Path) -> None:
    text = "1990 is the year of birth\n[2025-13-45] odd\n[2025-03-01] - Moved to Porto\n[unknown] - X y"
    notes = notes_of(tmp_path, text)
    assert notes.texts == ["1990 is the year of birth", "[2025-13-45] odd", "Moved to Porto", "X y"]
    assert notes.written == {"Moved to Porto": datetime(2025, 3, 1, tzinfo=UTC)}
    assert notes.source == "notes"


def test_a_long_paragraph_becomes_several_statements_and_loses_nothing(tmp_path: Path) -> None:
    text = " ".join(f"Sentence number {n} says something." for n in range(40)) + " x" * 400
    notes = notes_of(tmp_path, text)
    assert all(len(each) <= 500 for each in notes.texts)
    assert " ".join(notes.texts) == text


@pytest.mark.parametrize("text", ["", "\n# Only a heading\n---\n", "[]"])
def test_a_file_without_a_statement_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="holds no statement"):
        notes_of(tmp_path, text)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "photo.png"
    file.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(Unreadable, match="not UTF-8"):
        read_notes(file)
    file.write_bytes(b'[{"mapping": ')
    with pytest.raises(Unreadable, match="not valid JSON"):
        read_notes(file)


def conversation(at: float, **message: Any) -> dict[str, Any]:
    """A conversation with this hidden message."""
    hidden = {"author": {"role": "user"}, **message}
    return {"create_time": at, "mapping": {"n": {"message": None}, "h": {"message": hidden}}}


FRAMED = {
    "content_type": "user_editable_context",
    "user_profile": "The user provided the following information:\n```I am a nurse.\nI have a boat.```",
    "user_instructions": "How they would like you to respond:\n```Answer in Dutch.```",
}
PLAIN = {
    "user_context_message_data": {
        "about_user_message": "I live in Porto.",
        "about_model_message": "Be brief.",
    }
}
MEMORY = {
    "content_type": "model_editable_context",
    "model_set_context": "1. [2025-05-01]. Has a dog.",
}


def exported(tmp_path: Path, *conversations: dict[str, Any]) -> Notes:
    return notes_of(tmp_path, json.dumps(conversations))


def test_custom_instructions_are_read_from_an_export(tmp_path: Path) -> None:
    notes = exported(tmp_path, conversation(1_700_000_000, content=FRAMED))
    assert notes.texts == [
        "I am a nurse.",
        "I have a boat.",
        "How the user wants answers: Answer in Dutch.",
    ]
    assert notes.source == "chatgpt"
    assert set(notes.written.values()) == {datetime.fromtimestamp(1_700_000_000, UTC)}


def test_the_newest_custom_instructions_count_and_the_memory_stands_beside_them(
    tmp_path: Path,
) -> None:
    new = conversation(1_800_000_000, content={"content_type": "text"}, metadata=PLAIN)
    old = conversation(1_700_000_000, content=FRAMED)
    notes = exported(tmp_path, new, conversation(1_750_000_000, content=MEMORY), old)
    assert notes.texts == [
        "I live in Porto.",
        "Has a dog.",
        "How the user wants answers: Be brief.",
    ]
    assert notes.written["Has a dog."] == datetime(2025, 5, 1, tzinfo=UTC)


def test_odd_parts_of_an_export_are_passed_over(tmp_path: Path) -> None:
    odd = [
        {"mapping": None},
        {"mapping": {"a": None, "b": {"message": {"content": "text", "metadata": []}}}},
        conversation(1e30, content=FRAMED | {"user_profile": 7}),
    ]
    notes = notes_of(tmp_path, json.dumps(odd))
    assert notes.texts == ["How the user wants answers: Answer in Dutch."]
    assert notes.written == {}


PROJECTS = [
    {
        "name": "Garden",
        "description": "A small garden in Porto.",
        "prompt_template": "Use metric units.\nName plants in Latin.",
        "updated_at": "2026-01-02T10:00:00Z",
        "docs": [{"filename": "a.txt", "content": "not about the user"}],
    },
    {"name": "How to use", "is_starter_project": True, "prompt_template": "x", "description": "y"},
    {"name": None, "prompt_template": None},
]
MEMORIES = [
    {
        "conversations_memory": "**Work context**\n\nAna is a nurse.",
        "project_memories": {"p1": "The garden faces north."},
    }
]


def test_the_memory_and_the_projects_of_claude_are_read(tmp_path: Path) -> None:
    notes = notes_of(tmp_path, json.dumps(PROJECTS))
    assert notes.texts == [
        "Project Garden: A small garden in Porto.",
        "How the user wants answers in the project Garden: Use metric units.",
        "How the user wants answers in the project Garden: Name plants in Latin.",
    ]
    assert notes.source == "claude"
    assert set(notes.written.values()) == {datetime(2026, 1, 2, 10, tzinfo=UTC)}
    notes = notes_of(tmp_path, json.dumps(MEMORIES))
    assert notes.texts == ["Ana is a nurse.", "The garden faces north."]


def test_an_archive_is_read_as_it_was_downloaded(tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    with ZipFile(file, "w") as archive:
        instructions = [conversation(1_700_000_000, content=FRAMED)]
        archive.writestr("conversations-000.json", json.dumps(instructions))
        archive.writestr("memories.json", json.dumps(MEMORIES))
        archive.writestr("odd.json", "[{")
        archive.writestr("user.json", '{"email": "ana@example.org"}')
    texts = read_notes(file).texts
    assert texts[0] == "I am a nurse."
    assert texts[-1] == "The garden faces north."
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(Unreadable, match="damaged"):
        read_notes(file)
