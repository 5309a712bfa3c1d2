"""Episodes from files and to files, over real SQLite and the embedded index."""

import json
import resource
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personaagent.core.errors import DataError, EmbeddingsChanged, ModelUnavailable
from personaagent.core.records import Episode
from personaagent.core.settings import Settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.exchange.exporter import export_file
from personaagent.memory.exchange.import_file import Refused
from personaagent.memory.exchange.importer import Imported, import_episodes
from personaagent.memory.exchange.jsonlines import LONGEST_LINE
from personaagent.nodes.dependencies import Dependencies
from tests.support.chat_exports import chatgpt, chatgpt_message, claude
from tests.support.embedder import BagEmbedder


def opened(home: Path, embedder: BagEmbedder | None = None) -> Any:
    chosen = Settings(home=home, index_wait=0)
    return open_local(chosen, Dependencies.from_settings(chosen, embedder or BagEmbedder()))


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[LocalAgent]:
    async with opened(tmp_path / "home") as agent:
        yield agent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "given.jsonl"


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


async def import_text(
    agent: LocalAgent, file: Path, text: str | bytes, user: str = "u"
) -> Imported:
    write(file, text if isinstance(text, bytes) else text.encode())
    return await import_episodes(agent.memory(user), file)


async def import_json(agent: LocalAgent, file: Path, *content: Any, user: str = "u") -> Imported:
    return await import_text(agent, file, "\n".join(map(json.dumps, content)), user)


async def stored(agent: LocalAgent, user: str = "u") -> list[Episode]:
    return [each async for each in agent.memory(user).episodes.oldest_first()]


async def test_a_line_becomes_an_episode_that_is_found(agent: LocalAgent, file: Path) -> None:
    line = {
        "id": "mine",
        "query": "What tea do I like?",
        "response": "Black.",
        "ground_truth": "Green tea.",
        "task": "drinks",
        "created_at": "2024-05-06T07:08:09",
        "metadata": {"from": "diary"},
    }
    assert await import_json(agent, file, line) == Imported(added=1, skipped=0, warnings=[])
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


async def test_byte_order_mark_empty_lines_and_null_are_no_errors(
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


async def test_a_file_that_cannot_be_read(agent: LocalAgent, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(DataError, match=r"cannot be read|not a regular file"):
            await import_episodes(agent.memory("u"), path)


async def test_chatgpt_conversations(agent: LocalAgent, file: Path) -> None:
    said = chatgpt_message
    export = [
        chatgpt(
            "c1",
            said("system", ""),
            said("user", "Where do I live?", at=1_600_000_000.5),
            said("assistant", "searching()", recipient="browser"),
            said("tool", "tool text"),
            said("assistant", "You live"),
            said("assistant", "in Oslo.\x07"),
            said("user", "hidden", metadata={"is_visually_hidden_from_conversation": True}),
            said("user", {"content_type": "image_asset_pointer"}, "And this?"),
            said("assistant", "A fjord."),
            said("user", "Unanswered"),
            aside=said("assistant", "a branch that was edited away"),
        ),
        chatgpt("c2", said("user", "Hi"), said("assistant", "Hello")),
    ]
    assert (await import_text(agent, file, json.dumps(export))).added == 3
    found = {each.query: each for each in await stored(agent)}
    assert {q: e.response for q, e in found.items()} == {
        "Where do I live?": "You live\n\nin Oslo.\N{REPLACEMENT CHARACTER}",
        "And this?": "A fjord.",
        "Hi": "Hello",
    }
    first = found["Where do I live?"]
    assert first.created_at == datetime.fromtimestamp(1_600_000_000.5, UTC)
    assert found["Hi"].created_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (first.source, first.ground_truth) == ("chatgpt", None)
    longer = [export[1], export[0]]
    assert (await import_text(agent, file, json.dumps(longer))).added == 0


async def test_claude_conversations(agent: LocalAgent, file: Path) -> None:
    export = [
        claude("c1", ("human", "One?"), ("assistant", "1"), ("human", "Two?"), ("assistant", "2")),
        claude("c2"),
    ]
    export[0]["chat_messages"][1]["content"].append({"type": "tool_result", "text": "secret"})
    del export[0]["chat_messages"][3]["content"]
    assert (await import_text(agent, file, "\ufeff" + json.dumps(export))).added == 2
    assert [(e.query, e.response, e.source, e.created_at.minute) for e in await stored(agent)] == [
        ("One?", "1", "claude", 0),
        ("Two?", "2", "claude", 2),
    ]


def looping() -> dict[str, Any]:
    conversation = chatgpt("c", chatgpt_message("user", "q"), chatgpt_message("assistant", "a"))
    conversation["mapping"]["root"]["parent"] = "c-m1"
    return conversation


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (looping(), "do not lead from current_node"),
        (looping() | {"current_node": "gone"}, "do not lead from current_node"),
        (looping() | {"current_node": None}, "no current_node"),
        (looping() | {"mapping": {"a": {"message": {"id": 5}}}}, "mapping.a.message.id"),
        (claude("c") | {"chat_messages": [{}]}, "chat_messages.0.uuid: Field required"),
        ({"query": "q", "response": "r"}, "is not a conversation"),
        ("text", "is not a conversation"),
    ],
)
async def test_a_bad_conversation_is_named(
    agent: LocalAgent, file: Path, second: Any, expected: str
) -> None:
    good = claude("good", ("human", "q"), ("assistant", "a"))
    with pytest.raises(Refused) as refused:
        await import_text(agent, file, json.dumps([good, second, good]))
    [problem] = refused.value.problems
    assert problem.startswith("given.jsonl, conversation 2: ")
    assert expected in problem
    assert not await agent.memory("u").exists()


@pytest.mark.parametrize("end", [b"", b', {"uuid": "\xff"}]', b", nonsense]"])
async def test_an_export_that_is_cut_off_or_no_json(
    agent: LocalAgent, file: Path, end: bytes
) -> None:
    good = json.dumps(claude("good", ("human", "q"), ("assistant", "a"))).encode()
    with pytest.raises(Refused) as refused:
        await import_text(agent, file, b"[" + good + end)
    assert "conversation 2: the file from here on is not valid" in refused.value.problems[0]


async def test_a_file_that_changes_meanwhile_is_noticed(agent: LocalAgent, file: Path) -> None:
    write(file, GOOD.encode())

    class Changing:
        def __init__(self, step: str) -> None:
            self.step = step

        def __enter__(self) -> Any:
            if self.step.startswith("Importing"):
                with file.open("a") as more:
                    more.write('{"query": "another", "response": "r"}\n')
            return lambda done, total: None

        def __exit__(self, *_: object) -> None:
            pass

    with pytest.raises(DataError, match="changed while it was being imported"):
        await import_episodes(agent.memory("u"), file, Changing)
    assert await stored(agent) == []


async def test_an_index_that_is_held_costs_no_episode(tmp_path: Path, file: Path) -> None:
    async with opened(tmp_path / "home") as holder, opened(tmp_path / "home") as agent:
        await import_json(holder, file, {"query": "before", "response": "r"})
        imported = await import_json(agent, file, {"query": "green tea", "response": "r"})
        assert imported.added == 1
        assert "indexed later" in imported.warnings[0]
    async with opened(tmp_path / "home") as agent:
        again = await import_episodes(agent.memory("u"), file)
        assert (again.added, again.skipped, again.warnings) == (0, 1, [])
        assert (await agent.memory("u").recall("green tea", 1)).episodes[0].query == "green tea"
        assert await agent.memory("u").store.keys("unindexed", 1) == []


async def test_a_history_longer_than_a_statement_of_sqlite(agent: LocalAgent, file: Path) -> None:
    """SQLite takes 32,766 values in a statement, some builds more; fewer here, for a shorter test."""
    database = agent.store.conn  # type: ignore[attr-defined]
    await database._execute(database._conn.setlimit, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 8_000)
    lines = [{"query": f"q{n}", "response": "r"} for n in range(2_000)]
    assert (await import_json(agent, file, *lines)).added == 2_000
    memory = agent.memory("u")
    assert await memory.indexer.rebuild() == 2_000
    await memory.profile.write_summary([], await memory.profile.unsummarised())
    assert await memory.profile.unsummarised() == {}
    assert len((await agent.forget_all("u")).episodes) == 2_000


class Failing(BagEmbedder):
    async def embed(self, texts: Any) -> list[list[float]]:
        if len(self.texts) > 600:
            raise RuntimeError("killed")
        return await super().embed(texts)


async def test_an_import_that_broke_off_is_completed_by_another(tmp_path: Path, file: Path) -> None:
    lines = [{"query": f"question number {n}", "response": "r"} for n in range(1100)]
    with pytest.raises(RuntimeError, match="killed"):
        async with opened(tmp_path / "home", Failing()) as agent:
            await import_json(agent, file, *lines)
    async with opened(tmp_path / "home") as agent:
        before = len(await stored(agent))
        assert 0 < before < 1100
        again = await import_episodes(agent.memory("u"), file)
        assert (again.added, again.skipped) == (1100 - before, before)
        assert await agent.memory("u").indexer.index.delete_all() == 1100


async def test_an_embedding_model_that_is_down_costs_no_episode(tmp_path: Path, file: Path) -> None:
    class Down(BagEmbedder):
        async def embed(self, texts: Any) -> list[list[float]]:
            raise ModelUnavailable("The endpoint does not answer.")

    async with opened(tmp_path / "home", Down()) as agent:
        imported = await import_json(agent, file, {"query": "q", "response": "r"})
        assert imported.added == 1
        assert "does not answer" in imported.warnings[0]


async def test_another_embedding_model_is_refused_before_anything_is_written(
    tmp_path: Path, file: Path
) -> None:
    async with opened(tmp_path / "home") as agent:
        await import_json(agent, file, {"query": "q", "response": "r"})
    async with opened(tmp_path / "home", BagEmbedder("another")) as agent:
        with pytest.raises(EmbeddingsChanged, match="memory reindex"):
            await import_json(agent, file, {"query": "q2", "response": "r"})
        assert len(await stored(agent)) == 1


async def test_metadata_of_a_file_takes_no_conversation_along(
    agent: LocalAgent, file: Path
) -> None:
    thread = "somebody's thread"
    await agent.memory("u").conversations.note(thread, ["theirs"])
    forged = {"thread_id": thread, "recalled": ["theirs"]}
    await import_json(agent, file, {"id": "x", "query": "q", "response": "r", "metadata": forged})
    assert (await agent.forget("u", ["x"])).threads == []


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
QUERY = TEXT.filter(lambda text: text.strip() != "")
JSON_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), None])


@st.composite
def episodes(draw: st.DrawFn) -> Episode:
    signal = draw(st.sampled_from([None, "edit", "accept", "reject"]))
    response = draw(st.just("") | TEXT)
    truth = {"edit": draw(st.just("") | TEXT), "accept": response}.get(signal or "")
    moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=ZONES)
    return Episode(
        id=draw(QUERY),
        user_id="one",
        query=draw(QUERY),
        response=response,
        ground_truth=truth,
        signal=signal,
        task=draw(st.none() | QUERY),
        created_at=draw(moments),
        source=draw(st.sampled_from(["agent", "import", "chatgpt"])),
        metadata=draw(st.dictionaries(TEXT, JSON_VALUE, max_size=3)),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(episodes(), min_size=1, max_size=6, unique_by=lambda each: each.id))
async def test_export_and_import_give_the_same_episodes(given_episodes: list[Episode]) -> None:
    with TemporaryDirectory() as folder:
        here, file = Path(folder), Path(folder) / "out.jsonl"
        async with opened(here / "one") as agent:
            await agent.memory("one").episodes.add(given_episodes)
            count = await export_file(agent.memory("one"), file, lambda done, total: None)
            before = await stored(agent, "one")
        async with opened(here / "two") as other:
            await import_episodes(other.memory("two"), file)
            after = await stored(other, "two")
    assert count == len(given_episodes)
    assert sorted(before, key=lambda e: e.id) == sorted(given_episodes, key=lambda e: e.id)
    assert [e.model_copy(update={"user_id": "one"}) for e in after] == before


async def test_an_export_is_private_ordered_and_replaces_the_file_before(
    agent: LocalAgent, file: Path, tmp_path: Path
) -> None:
    for year in (2021, 2019, 2020):
        line = {"query": f"{year}", "response": "r", "created_at": f"{year}-01-01"}
        await import_json(agent, file, line)
    out = tmp_path / "out.jsonl"
    out.write_text("before")
    await export_file(agent.memory("u"), out, lambda done, total: None)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["query"] for line in lines] == ["2019", "2020", "2021"]
    assert all("user_id" not in line for line in lines)
    assert out.stat().st_mode & 0o777 == 0o600


async def test_a_full_disk_leaves_no_half_export(
    agent: LocalAgent, file: Path, tmp_path: Path
) -> None:
    await import_json(agent, file, *({"query": f"{n}", "response": "r" * 900} for n in range(50)))
    folder = tmp_path / "full"
    folder.mkdir()
    out = folder / "out.jsonl"
    out.write_text("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(DataError, match="disk is full"):
            await export_file(agent.memory("u"), out, lambda done, total: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in folder.iterdir()] == ["out.jsonl"]
    assert out.read_text() == "before"


async def test_an_export_that_has_no_place(agent: LocalAgent, file: Path, tmp_path: Path) -> None:
    await import_json(agent, file, {"query": "q", "response": "r"})
    for out in (tmp_path / "no" / "folder.jsonl", tmp_path):
        with pytest.raises(DataError, match="cannot be written"):
            await export_file(agent.memory("u"), out, lambda done, total: None)
