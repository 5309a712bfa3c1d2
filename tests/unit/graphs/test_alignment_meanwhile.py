"""What changes while an alignment runs, or between two runs."""

from pathlib import Path

import pytest

from personaagent.core.errors import ModelError
from personaagent.core.records import Rule, Signal, now
from tests.support.alignment import (
    PREFERENCES,
    Scripted,
    World,
    walks,
    world,
)
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

[KILOMETRES, *_] = PREFERENCES


async def rules_of(there: World) -> list[str]:
    return [rule.text for rule in (await there.memory.personas.current()).rules]


async def test_a_label_that_is_given_while_a_run_goes_on_stays_new(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, [KILOMETRES]))
    there.between = ("sample", lambda: there.remember(walks(7, [KILOMETRES])[6]))
    assert (await there.align()).to_version == 2
    assert [*await there.memory.unaligned.entries()] == ["walk6"]


async def test_a_run_that_broke_off_is_not_gone_on_with_where_nothing_is_new(
    tmp_path: Path,
) -> None:
    def fail(_: Prompt) -> Reply:
        raise ModelError("The run breaks off.")

    there = world(tmp_path, Scripted(critique=fail))
    await there.remember(*walks(6, [KILOMETRES]))
    with pytest.raises(ModelError, match="breaks off"):
        await there.align()
    await there.memory.unaligned.clear_until(now())
    there.goes_on(Scripted())
    state = await there.run({"trigger": "nightly"})
    assert (state["trigger"], state["plan"], state["result"]) == ("", {}, {})
    assert KILOMETRES not in await rules_of(there)
    await there.remember(walks(7, [KILOMETRES])[6])
    state = await there.run({"trigger": "labels"})
    assert state["plan"]["trigger"] == "labels"
    assert KILOMETRES in await rules_of(there)


async def test_a_dry_run_publishes_nothing_and_says_what_it_would_have(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align(dry_run=True)
    assert (run.from_version, run.to_version) == (1, 1)
    assert KILOMETRES in [rule.text for rule in run.rules_after]
    assert KILOMETRES not in await rules_of(there)


async def test_what_the_user_edited_meanwhile_is_never_overwritten(tmp_path: Path) -> None:
    mine = "Call me Anna."

    async def edit() -> None:
        persona = await there.memory.personas.current()
        rules = [*persona.rules, Rule(id="r9", text=mine)]
        await there.memory.personas.publish(rules, author="user", note="", parent=persona.version)

    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, [KILOMETRES]))
    await there.memory.personas.begin()
    there.between = ("update", edit)
    run = await there.align()
    assert run.stopped_by == "conflict"
    assert "version 2" in run.warnings[-1]
    assert (await rules_of(there))[-1] == mine


async def test_an_episode_that_is_forgotten_during_the_run_teaches_nothing(tmp_path: Path) -> None:
    async def forget() -> None:
        await there.memory.personas.forget({"walk5", "walk4", "walk3"})
        await there.memory.episodes.delete({"walk5", "walk4", "walk3"})

    there = world(tmp_path, Scripted())
    await there.remember(*walks(6, [KILOMETRES]))
    there.between = ("update", forget)
    run = await there.align(rounds=1)
    assert run.to_version == 1
    assert KILOMETRES not in await rules_of(there)


@pytest.mark.parametrize("node", ["sample", "compare", "critique", "update", "gate"])
@pytest.mark.parametrize("signal", ["edit", "reject"])
async def test_what_the_user_no_longer_says_teaches_nothing(
    tmp_path: Path, node: str, signal: Signal
) -> None:
    """The latest walk was to be in kilometres; while the run goes on, it is not any more."""

    async def say_otherwise() -> None:
        nonlocal asked
        asked = len(there.prompts)
        text = latest.response if signal == "edit" else None
        await there.memory.episodes.give_feedback(latest.id, signal, text, force=True)

    asked = 0
    latest = walks(8, [KILOMETRES])[7]
    there = world(tmp_path, Scripted())
    await there.remember(*walks(8, [KILOMETRES]))
    there.between = (node, say_otherwise)
    run = await there.align(rounds=1)
    assert (run.stopped_by, run.to_version) == ("conflict", 1)
    assert "its label has changed" in run.warnings[-1]
    assert KILOMETRES in [rule.text for rule in run.rules_after], "the others showed it too"
    assert await there.memory.unaligned.due(7), "they have not been learned from"
    for prompt in there.prompts[asked:]:
        assert prompt.last != latest.query
        assert not (prompt.options.get("response_format") and latest.query in prompt.system)
