"""The labels of the questions nearest to a question."""

from datetime import timedelta
from pathlib import Path

import pytest

from personaagent.core.errors import IndexUnavailable
from personaagent.memory.hiding import Hidden
from personaagent.memory.user import UserMemory
from tests.support.memories import START, episode, memory_of, remember

RYE = episode("rye", "rye bread", 1, task="taste", ground_truth="good")
WHEAT = episode("wheat", "wheat bread", 2, task="taste", ground_truth="fair")
OIL = episode("oil", "motor oil", 3, task="taste", ground_truth="bad")


async def ids(memory: UserMemory, query: str = "rye bread", k: int = 20) -> list[str]:
    return [label.episode_id for label in await memory.similar_labels(query, "taste", k)]


async def test_the_nearest_labels_of_the_task_come_first(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    other = episode("other", "rye bread", task="price", ground_truth="3")
    unlabelled = episode("unlabelled", "rye bread", task="taste")
    await remember(anna, OIL, WHEAT, RYE, other, unlabelled)
    first, second, third = await anna.similar_labels("rye bread", "taste")
    assert [first.token, second.token, third.token] == ["good", "fair", "bad"]
    assert first.cosine == pytest.approx(1.0, abs=1e-3)
    assert second.cosine == pytest.approx(0.5, abs=1e-3)
    assert first.at == RYE.created_at.timestamp()
    assert await ids(anna, k=2) == ["rye", "wheat"]
    assert await ids(anna, k=0) == []
    assert await anna.similar_labels("rye bread", None) == []


async def test_cosines_are_there_when_recall_is_by_words_alone(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path, recall_mode="bm25")
    await remember(anna, RYE, OIL)
    assert await ids(anna) == ["rye", "oil"]


async def test_what_is_hidden_has_no_vote(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, RYE, WHEAT, OIL)
    assert await ids(anna.hiding(Hidden(frozenset({"rye"})))) == ["wheat", "oil"]
    later = Hidden(before=START + timedelta(days=2))
    assert await ids(anna.hiding(later)) == ["rye"]


async def test_a_superseded_label_has_no_vote_unless_its_successor_is_hidden(
    tmp_path: Path,
) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, RYE, WHEAT)
    await anna.episodes.supersede("rye", "wheat")
    assert await ids(anna) == ["wheat"]
    assert await ids(anna.hiding(Hidden(frozenset({"wheat"})))) == ["rye"]


async def test_labels_are_found_behind_many_episodes_without_one(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    nearer = [episode(f"e{n}", "rye bread", n) for n in range(30)]
    await remember(anna, *nearer, OIL)
    assert await ids(anna, k=5) == ["oil"]


async def test_there_are_no_votes_while_the_index_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = memory_of("anna", tmp_path)
    assert await ids(anna) == []
    await remember(anna, RYE)

    async def search(*_: object, **__: object) -> None:
        raise IndexUnavailable("down")

    monkeypatch.setattr(anna.indexer.index.index_of("any"), "search", search)
    assert await ids(anna) == []
