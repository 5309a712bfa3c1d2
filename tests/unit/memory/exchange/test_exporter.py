"""An export can be imported again, and is written whole or not at all."""

import json
import resource
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personaagent.core.errors import DataError
from personaagent.core.records import Episode
from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.exporter import export_file
from personaagent.memory.exchange.importer import import_episodes
from tests.support.imports import import_json, opened, stored

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


async def test_an_export_to_a_place_that_does_not_exist_is_refused(
    agent: LocalAgent, file: Path, tmp_path: Path
) -> None:
    await import_json(agent, file, {"query": "q", "response": "r"})
    for out in (tmp_path / "no" / "folder.jsonl", tmp_path):
        with pytest.raises(DataError, match="cannot be written"):
            await export_file(agent.memory("u"), out, lambda done, total: None)
