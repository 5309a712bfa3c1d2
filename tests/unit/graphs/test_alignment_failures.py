"""Critics, editors and actors whose answers are of no use."""

import json
from pathlib import Path

import pytest

from personaagent.core.errors import ModelError, ModelUnavailable
from tests.support.alignment import (
    PREFERENCES,
    Scripted,
    act,
    criticise,
    walks,
    world,
)
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

[KILOMETRES, _, WEATHER, *_] = PREFERENCES


async def test_contradictory_labels_change_nothing(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    same = [
        e.model_copy(update={"query": "Tell me about the mill?", "ground_truth": wanted})
        for e, wanted in zip(walks(6, []), ["yes please", "no thanks"] * 3, strict=True)
    ]
    await there.remember(*same)
    run = await there.align()
    assert run.to_version == 1


@pytest.mark.parametrize("reply", ["Well, I think the persona is fine.", '{"points": 3}', "{}"])
async def test_a_critic_that_says_nothing_usable_costs_its_round(
    tmp_path: Path, reply: str
) -> None:
    there = world(tmp_path, Scripted(critique=lambda prompt: reply))
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align()
    assert (run.to_version, run.stopped_by) == (1, "no improvement")


async def test_a_point_that_cites_no_episode_there_is_is_dropped(tmp_path: Path) -> None:
    def critique(prompt: Prompt) -> Reply:
        points = json.loads(str(criticise(prompt)))["points"]
        return json.dumps({"points": [points[0] | {"episodes": ["E7", "x"]}, *points[1:]]})

    there = world(tmp_path, Scripted(critique=critique))
    await there.remember(*walks(6, [KILOMETRES, WEATHER]))
    run = await there.align(rounds=1)
    assert PREFERENCES[KILOMETRES] not in run.rounds[0].gradient
    assert PREFERENCES[WEATHER] in run.rounds[0].gradient


async def test_an_episode_for_which_the_model_fails_is_unscored(tmp_path: Path) -> None:
    def actor(prompt: Prompt) -> Reply:
        return ModelUnavailable("down") if "windmill" in prompt.last else act(prompt)

    there = world(tmp_path, Scripted(actor=actor))
    await there.remember(*walks(10, [KILOMETRES]))
    run = await there.align(rounds=1)
    assert run.rounds[0].losses_before["walk9"] is None
    assert run.to_version == 2


async def test_models_that_fail_for_most_episodes_end_the_run_unchanged(tmp_path: Path) -> None:
    def actor(prompt: Prompt) -> Reply:
        return act(prompt) if "windmill" in prompt.last else ModelUnavailable("down")

    there = world(tmp_path, Scripted(actor=actor))
    await there.remember(*walks(10, [KILOMETRES]))
    with pytest.raises(ModelError, match="9 of 10 episodes"):
        await there.align()
    assert (await there.memory.personas.current()).version == 1
