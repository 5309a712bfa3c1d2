"""Which episodes an alignment learns from, and which prove it."""

from pathlib import Path

import pytest

from tests.support.alignment import (
    PREFERENCES,
    Scripted,
    walks,
    world,
)
from tests.support.memories import episode

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

[KILOMETRES, STATION, *_] = PREFERENCES


@pytest.mark.parametrize("labels", [0, 1, 2])
async def test_too_few_labels_end_the_run_with_a_sentence(tmp_path: Path, labels: int) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(labels, [KILOMETRES]), episode("plain"))
    run = await there.align()
    assert run.stopped_by == "labels"
    assert "too few to learn from" in run.warnings[0]
    assert there.prompts == []
    assert (await there.memory.spending.today()).calls == 0


async def test_with_few_labels_the_sets_shrink(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(3, [KILOMETRES]))
    run = await there.align(rounds=1)
    assert len(run.rounds[0].losses_before) == 1
    assert len(run.rounds[0].holdout_before) == 2
    assert run.to_version == 2


async def test_the_held_out_episodes_are_of_every_task_newest_first(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    walked = walks(9, [KILOMETRES], task="walk")
    rare = [w.model_copy(update={"id": f"rare{w.id}", "task": "rare"}) for w in walks(2, [STATION])]
    await there.remember(*rare, *walked)
    run = await there.align(rounds=1, holdout=4)
    assert [*run.rounds[0].losses_before] == ["walk8", "walk7", "walk6"]
    assert set(run.rounds[0].holdout_before) == {"walk5", "walk4", "rarewalk1", "rarewalk0"}


async def test_similar_sampling_learns_from_what_is_near_the_query(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(12, [KILOMETRES]))
    run = await there.align(
        sampling="similar", query="Tell me about the castle?", batch=1, rounds=1
    )
    assert [*run.rounds[0].losses_before] == ["walk2"]


async def test_hardest_sampling_goes_where_the_last_loss_was_highest(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted(propose=lambda prompt, missing: []))
    hard = [e.model_copy(update={"id": f"hard{e.id}"}) for e in walks(2, [*PREFERENCES])]
    await there.remember(*hard, *walks(10, [KILOMETRES])[2:])
    await there.align(rounds=1, batch=1, holdout=9, sampling="latest")
    run = await there.align(rounds=1, batch=2, holdout=4, sampling="hardest")
    assert set(run.rounds[0].losses_before) == {"hardwalk1", "hardwalk0"}


async def test_of_earlier_runs_nothing_is_kept_but_what_sampling_needs(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted(propose=lambda prompt, missing: []))
    await there.remember(*walks(9, [KILOMETRES]))
    await there.align(rounds=1, batch=2, holdout=2)
    await there.memory.episodes.give_feedback("walk8", "reject", force=True)
    await there.remember(*walks(12, [KILOMETRES])[9:])
    state = await there.run({"trigger": "test"}, rounds=1, batch=2, holdout=2, sampling="latest")
    assert set(state["losses"]) == {"walk11", "walk10", "walk9", "walk7"}
    assert set(state["last_losses"]) == {"walk7", "walk6", "walk5"}
    assert all(0 < loss < 1 for loss in state["last_losses"].values())
    assert await there.memory.unaligned.entries() == {}
