"""JSON lines become episodes, and each error in a file has its place in it."""

import json
from pathlib import Path

import pytest

from personaagent.core.errors import DataError
from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.check_import import Refused
from personaagent.memory.exchange.importer import Imported, import_episodes
from personaagent.memory.exchange.jsonlines import LONGEST_LINE
from tests.support.chat_exports import claude
from tests.support.imports import import_json, import_text, stored


async def test_a_line_becomes_an_episode_that_can_be_recalled(
    agent: LocalAgent, file: Path
) -> None:
    line = {
        "id": "mine",
        "query": "What tea do I like?",
        "response": "Black.",
        "ground_truth": "Green tea.",
        "task": "drinks",
        "created_at": "2024-05-06T07:08:09",
        "metadata": {"from": "diary"},
    }
    assert await import_json(agent, file, line) == Imported(
        added=1, skipped=0, warnings=[], to_summarise=1
    )
    [episode] = await stored(agent)
    assert episode.stored() == line | {
        "user_id": "u",
        "signal": "edit",
        "source": "import",
        "created_at": "2024-05-06T07:08:09Z",
    }
    assert (await agent.memory("u").recall("tea", 1)).episodes == [episode]
    assert await agent.memory("u").personas.exist()


async def test_the_same_file_twice_adds_nothing(agent: LocalAgent, file: Path) -> None:
    lines = [{"query": f"q{n}", "response": "r"} for n in range(3)]
    assert (await import_json(agent, file, *lines, lines[0])).added == 3
    before = await stored(agent)
    again = await import_json(agent, file, *lines, {"query": "new", "response": "r"})
    assert (again.added, again.skipped) == (1, 3)
    assert [each for each in await stored(agent) if each.query != "new"] == before


async def test_what_is_stored_is_not_overwritten(agent: LocalAgent, file: Path) -> None:
    await import_json(agent, file, {"id": "a", "query": "first", "response": "r"})
    again = await import_json(agent, file, {"id": "a", "query": "second", "response": "r"})
    assert (again.added, again.skipped) == (0, 1)
    assert [each.query for each in await stored(agent)] == ["first"]


async def test_byte_order_mark_empty_lines_and_null_are_accepted(
    agent: LocalAgent, file: Path
) -> None:
    text = '\ufeff\n{"query": "q", "response": "r", "task": null, "id": null}\r\n\n'
    assert (await import_text(agent, file, text)).added == 1


def nested(depth: int) -> str:
    return (
        '{"query": "q", "response": "r", "metadata": ' + '{"a":' * depth + "1" + "}" * (depth + 1)
    )


GOOD = '{"query": "q", "response": "r"}\n'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"query": "q"}', "response: Field required"),
        ('{"query": "q", "response": 5}', "response: Input should be a valid string"),
        ('{"query": "  ", "response": "r"}', "query is empty"),
        ('{"query": "q", "response": "r", "rating": 5, "a": 1}', "unknown field a, rating"),
        ('{"query": "q", "response": "r", "user_id": "u2"}', "unknown field user_id"),
        ('{"query": "q", "response": "r", "signal": "like"}', "signal: "),
        ('{"query": "q", "response": "r", "signal": "edit"}', "needs the ground_truth"),
        ('{"query": "q", "response": "r", "created_at": "soon"}', "created_at: "),
        (
            '{"query": "q", "response": "r", "created_at": "0001-01-01T00:00:00+14:00"}',
            "out of range",
        ),
        ('{"query": "q\\u0007", "response": "r"}', "query holds the control character U+0007"),
        ('{"query": "q", "response": "\\u001b[2J"}', "response holds the control character U+001B"),
        ('{"query": "q", "response": "r", "id": ""}', "id: "),
        (nested(300), "nested too deeply"),
        (nested(253), "nested too deeply"),
        ('{"query": "q", "response": "r"', "not valid JSON"),
        ('{"query": "q", "response": "\\ud800"}', "not valid JSON"),
        ("5", "not a JSON object"),
        (b'{"query": "caf\xe9", "response": "r"}', "not valid UTF-8"),
        ('{"query": "' + "q" * LONGEST_LINE + '", "response": "r"}', "longer than 1,000,000 bytes"),
    ],
)
async def test_a_bad_line_is_named_and_nothing_is_written(
    agent: LocalAgent, file: Path, line: str | bytes, expected: str
) -> None:
    bad = line if isinstance(line, bytes) else line.encode()
    with pytest.raises(Refused) as refused:
        await import_text(agent, file, GOOD.encode() + bad + b"\n" + GOOD.encode())
    [problem] = refused.value.problems
    assert problem.startswith("given.jsonl, line 2: ")
    assert expected in problem
    assert "given.jsonl has 1 error;" in str(refused.value)
    assert not await agent.memory("u").exists()


async def test_twenty_errors_are_shown_and_all_counted(agent: LocalAgent, file: Path) -> None:
    with pytest.raises(Refused) as refused:
        await import_text(agent, file, "x\n" * 1234)
    assert len(refused.value.problems) == 20
    assert "1,234 errors (the first 20 are shown)" in str(refused.value)


async def test_one_id_for_two_contents_is_an_error(agent: LocalAgent, file: Path) -> None:
    lines = [{"id": "a", "query": q, "response": "r"} for q in ("one", "one", "two")]
    with pytest.raises(Refused) as refused:
        await import_json(agent, file, *lines)
    assert refused.value.problems == [
        "given.jsonl, line 3: the id 'a' stands for another in line 1"
    ]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]", b"PK\x03\x04 zip", b"\xef\xbb\xbf"])
async def test_a_file_without_episodes_is_an_error(
    agent: LocalAgent, file: Path, content: bytes
) -> None:
    with pytest.raises(DataError, match=r"nothing to import|zip archive"):
        await import_text(agent, file, content)


async def test_a_file_that_cannot_be_read_is_refused(agent: LocalAgent, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(DataError, match=r"cannot be read|is a folder"):
            await import_episodes(agent.memory("u"), path)


async def test_a_file_in_utf_16_is_read(agent: LocalAgent, file: Path) -> None:
    text = '{"query": "caf\u00e9 \U0001f98a", "response": "r"}\r\n'
    for encoding in ("utf-16", "utf-16-be"):
        bom = "" if encoding == "utf-16" else "\ufeff"
        await import_text(agent, file, (bom + text).encode(encoding))
    assert [each.query for each in await stored(agent)] == ["caf\u00e9 \U0001f98a"]
    export = json.dumps([claude("c", ("human", "One?"), ("assistant", "1"))])
    assert (await import_text(agent, file, export.encode("utf-16"))).added == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x1f\x8b\x08\0", r"packed \(gzip\): unpack it"),
        (b"SQLite format 3\0", "is no text"),
        (b"\xff\xfe{", "not valid UTF-16"),
        (b"\xef\xbb\xbf\n<!doctype html>\n<html>\n<body>\nHello\n</html>", "is a web page"),
    ],
)
async def test_what_is_no_text_is_refused_in_one_sentence(
    agent: LocalAgent, file: Path, content: bytes, expected: str
) -> None:
    with pytest.raises(DataError, match=expected):
        await import_text(agent, file, content)
