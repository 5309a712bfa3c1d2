"""An export is read from the archive in which its program delivers it."""

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from personaagent.core.errors import Unreadable
from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange import export_zip
from tests.support.chat_exports import claude, parsed
from tests.support.imports import import_text, stored


def conversation(query: str) -> dict[str, Any]:
    return claude(query, ("human", query), ("assistant", "a"))


def zipped(members: dict[str, Any]) -> bytes:
    """An archive of these members: bytes, or JSON."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            is_bytes = isinstance(content, bytes)
            archive.writestr(name, content if is_bytes else json.dumps(content))
    return buffer.getvalue()


OTHERS: dict[str, Any] = {
    "chat.html": b"<html><script>var jsonData = []</script></html>",
    "user.json": {"id": "user-1", "email": "ana@example.org"},
    "users.json": [{"uuid": "u", "full_name": "Ana"}],
    "message_feedback.json": [{"id": "m", "rating": "thumbs_up"}],
    "shared_conversations.json": [{"id": "s", "conversation_id": "c", "title": "t"}],
    "empty.json": b"",
    "file-abc.png": b"\x89PNG",
    "__MACOSX/._conversations.json": b"\x00\x05\x16\x07",
}


async def test_the_conversations_of_an_archive_come_in(agent: LocalAgent, file: Path) -> None:
    content = zipped(OTHERS | {"conversations.json": [conversation("One?"), {}]})
    imported = await import_text(agent, file, content)
    assert (imported.added, imported.left_out) == (1, 1)
    assert imported.problems[0].startswith("conversations.json, conversation 2: it is not")
    assert [each.query for each in await stored(agent)] == ["One?"]
    assert (await import_text(agent, file, content)).added == 0


def test_the_numbered_parts_of_an_export_are_one() -> None:
    parts = {f"export/conversations-{n}.json": [conversation(f"q{n}")] for n in (10, 2, 1)}
    assert [*parsed(zipped(OTHERS | parts))[0]] == ["q1", "q2", "q10"]


def test_a_file_of_any_name_is_read_if_it_holds_conversations() -> None:
    assert parsed(zipped({"data/My chats.JSON": conversation("One?")})) == ({"One?": "a"}, [])


def test_memory_and_projects_beside_conversations_are_named() -> None:
    members = {
        "conversations.json": [conversation("One?")],
        "memories.json": [],
        "projects.json": [],
    }
    found, left_out = parsed(zipped(members))
    assert found == {"One?": "a"}
    assert [each.split(":")[0] for each in left_out] == ["memories.json", "projects.json"]
    assert all("`personaagent profile import` reads them" in each for each in left_out)


def test_archives_in_the_archive_are_read_too() -> None:
    inner = zipped({"conversations.json": [conversation("One?")]})
    outer = {"part-1.zip": inner, "part-2.zip": b"PK\x03\x04 damaged", "photos.zip": zipped({})}
    assert parsed(zipped(outer)) == ({"One?": "a"}, [])


def test_a_part_that_is_no_json_costs_no_other_part() -> None:
    parts = {"conversations-0.json": b"[nonsense", "conversations-1.json": [conversation("One?")]}
    found, [problem] = parsed(zipped(parts))
    assert found == {"One?": "a"}
    assert problem.startswith("conversations-0.json, conversation 1: it is not valid JSON")


def test_an_archive_with_a_damaged_file_is_read_up_to_there() -> None:
    def of(number: int) -> dict[str, Any]:
        return conversation(f"Question {number}?")

    content = bytearray(zipped({"conversations.json": [*map(of, range(3000))]}))
    content[len(content) * 2 // 3] ^= 0xFF
    found, left_out = parsed(bytes(content))
    assert 0 < len(found) < 3000
    assert left_out


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped({}), "holds no conversations of ChatGPT"),
        (zipped(OTHERS), "holds no conversations of ChatGPT"),
        (zipped({"manifest.json": {}, "episodes.jsonl": b"{}"}), "`personaagent restore` reads it"),
        (
            zipped({"projects/a.json": {"prompt_template": "x"}}),
            "`personaagent profile import` reads",
        ),
        (zipped({"conversations.json": [{}] * 99})[:-30], "damaged, or cut off"),
        (b"PK\x03\x04 nothing", "damaged, or cut off"),
    ],
)
async def test_an_archive_that_is_of_no_use_is_refused(
    agent: LocalAgent, file: Path, content: bytes, expected: str
) -> None:
    with pytest.raises(Unreadable, match=expected):
        await import_text(agent, file, content)


def test_an_archive_under_a_password_is_refused() -> None:
    content = bytearray(zipped({"conversations.json": [conversation("One?")]}))
    content[6] |= 1  # the flag "encrypted" of the member, and of its entry in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Unreadable, match="encrypted"):
        parsed(bytes(content))


@pytest.mark.parametrize("limit", ["MAX_UNPACKED_BYTES", "UNSUSPICIOUS_BYTES"])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(export_zip, limit, 100_000)
    with pytest.raises(Unreadable, match="which is too much"):
        parsed(zipped({"conversations.json": b" " * 100_001}))
