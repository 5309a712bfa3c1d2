"""One slow recall does not end a scorecard or an alignment: what works in the background waits."""

from pathlib import Path

import pytest

from personaagent.core.errors import IndexUnavailable, ModelError
from personaagent.memory.index.protocol import IndexQuery, Scores
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.scorecard.run_scorecard import compute_scorecard
from personaagent.scorecard.scorecard import Scorecard
from tests.support.alignment import PREFERENCES, Scripted, World, walks, world
from tests.support.memories import episode


class SlowIndex(SqliteIndex):
    """Some searches are too slow, or fail: the next ``slow`` ones, or always those for one query."""

    slow = 0
    never: list[float] | None = None
    error: Exception = TimeoutError()

    async def search(self, user: str, query: IndexQuery) -> Scores:
        self.slow -= 1
        if self.slow >= 0 or (self.never and query.dense == self.never):
            raise self.error
        return await super().search(user, query)


@pytest.fixture
async def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("tests.support.alignment.index_in_memory", SlowIndex)
    made = world(tmp_path, Scripted(), recall_timeout=1)
    await made.remember(*walks(8, [*PREFERENCES][:1]))
    return made


def index_of(made: World) -> SlowIndex:
    index = made.deps.memory._index
    assert isinstance(index, SlowIndex)
    return index


async def card_of(made: World) -> Scorecard:
    return await compute_scorecard(made.deps, made.store, "anna", 50, lambda done, total: None)


@pytest.mark.parametrize("error", [TimeoutError(), IndexUnavailable("On holiday.")])
async def test_a_recall_that_fails_once_is_tried_again(made: World, error: Exception) -> None:
    index_of(made).slow, index_of(made).error = 2, error
    card = await card_of(made)
    assert len(card.compared) == 8
    assert card.warnings == []
    index_of(made).slow = 2
    aligned = await made.align()
    assert aligned.warnings == []
    assert aligned.rounds


async def test_an_episode_for_which_nothing_can_be_recalled_is_left_out(made: World) -> None:
    newest = (await made.memory.episodes.newest(1))[0]
    [index_of(made).never] = await made.deps.memory.embedder.embed([newest.query])
    card = await card_of(made)
    assert len(card.compared) == 7
    [warning] = card.warnings
    assert "1 of 8 episodes" in warning
    assert "Recall took over" in warning
    aligned = await made.align()
    assert aligned.rounds
    assert "1 episode is left out of round 1" in " ".join(aligned.warnings)


async def test_without_any_recall_nothing_is_proved(made: World) -> None:
    index_of(made).slow, index_of(made).error = 10_000, IndexUnavailable("It is on holiday.")
    with pytest.raises(ModelError, match="It is on holiday"):
        await card_of(made)
    with pytest.raises(IndexUnavailable, match="It is on holiday"):
        await made.align()


async def test_in_the_background_all_is_indexed_first_and_recall_takes_its_time(
    made: World,
) -> None:
    await made.memory.episodes.add([episode(f"e{n}", f"street {n}") for n in range(200)])
    in_haste, patient = made.memory.recaller, made.memory.patient().recaller
    assert patient.timeout > 10 * in_haste.timeout
    assert "not indexed yet" in " ".join((await in_haste.recall("Which street?", 3)).warnings)
    assert (await patient.recall("Which street?", 3)).warnings == []
