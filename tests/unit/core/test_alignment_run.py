"""A run's state as typed objects."""

from pathlib import Path

from personaagent.core.alignment_run import AlignmentRun, apply_update
from personaagent.core.settings import Settings
from tests.support.alignment import PREFERENCES, Scripted, walks, world


async def test_a_parsed_run_is_the_state_that_is_stored(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, [next(iter(PREFERENCES))]))
    state = await there.run({"trigger": "test"}, rounds=2)
    run = AlignmentRun.from_state(state, there.deps.settings)  # type: ignore[arg-type]
    stored = run.model_dump(mode="json")
    assert stored == {name: state[name] for name in stored}
    assert run.source_ids >= {*run.batch, *run.holdout}


async def test_a_parsed_plan_stays_within_the_settings(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, []))
    state = await there.run({"trigger": "test"})
    strict = Settings(align_calls=7, approval="ask")
    run = AlignmentRun.from_state(state, strict)  # type: ignore[arg-type]
    assert (run.plan.calls, run.plan.approve) == (7, True)


async def test_an_update_is_applied_as_the_graph_applies_it(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, []))
    state = await there.run({"trigger": "test"})
    update = {"losses": None, "usage": None, "cached": 2, "rounds": []}
    applied = apply_update(state, update)  # type: ignore[arg-type]
    assert (applied["losses"], applied["usage"]) == ({}, {"by_role": {}})
    assert (applied["cached"], applied["rounds"]) == (state["cached"] + 2, [])
    assert applied["plan"] == state["plan"]
