"""Which edits of a persona an alignment refuses, and how the editor learns of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.alignment import (
    PREFERENCES,
    Scripted,
    World,
    act,
    useful,
    walks,
    world,
)
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

KILOMETRES, STATION, _, WISH = PREFERENCES


async def rules_of(there: World) -> list[str]:
    return [rule.text for rule in (await there.memory.personas.current()).rules]


async def test_an_edit_that_harms_the_held_out_episodes_is_refused(tmp_path: Path) -> None:
    def actor(prompt: Prompt) -> Reply:
        """Follows the wish for the day for every question, though only the latest wanted it."""
        return act(prompt)

    there = world(tmp_path, Scripted(actor=actor))
    latest = [each.model_copy(update={"id": f"late{each.id}"}) for each in walks(12, [WISH])[9:]]
    await there.remember(*walks(9, []), *latest)
    run = await there.align(rounds=3)
    assert run.rounds[0].reason.startswith("worse on the held-out")
    assert (run.to_version, run.stopped_by) == (1, "no improvement")
    assert await rules_of(there) == [r.text for r in run.rules_before]


async def test_the_editor_is_told_what_was_tried(tmp_path: Path) -> None:
    prompts: list[str] = []

    def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        prompts.append(prompt.messages[3].text)
        return [{"action": "add", "rule": "", "text": "Be kind.", "evidence": ["E1"]}]

    there = world(tmp_path, Scripted(propose=propose))
    await there.remember(*walks(6, [KILOMETRES]))
    await there.align(rounds=3)
    assert "Be kind." not in prompts[0]
    assert "add Be kind.: not better on the batch" in prompts[1]


async def test_a_gradient_is_not_asked_for_again_while_nothing_changes(tmp_path: Path) -> None:
    scripted = Scripted(propose=lambda prompt, missing: [])
    there = world(tmp_path, scripted)
    await there.remember(*walks(9, []), walks(10, [WISH])[9])
    run = await there.align(batch=1)
    assert [each.accepted for each in run.rounds] == [False, False]
    assert run.rounds[0].gradient == run.rounds[1].gradient != ""
    assert (scripted.calls["critic"], scripted.calls["editor"]) == (1, 2)


async def test_locked_rules_are_left_alone_and_the_reason_is_fed_back_once(tmp_path: Path) -> None:
    prompts: list[str] = []

    def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        prompts.append(prompt.last)
        if "is locked" in prompt.last:
            return useful(prompt, [KILOMETRES])
        return [{"action": "remove", "rule": "r2", "text": "", "evidence": ["E1"]}]

    there = world(tmp_path, Scripted(propose=propose))
    await there.remember(*walks(6, [KILOMETRES]))
    await there.memory.personas.begin()
    await there.memory.personas.lock_rule("r2", locked=True)
    await there.align(rounds=1)
    assert len(prompts) == 2
    persona = await there.memory.personas.current()
    assert persona.rule("r2") is not None
    assert KILOMETRES in await rules_of(there)


@pytest.mark.parametrize(
    ("proposal", "reason"),
    [
        (
            {"action": "replace", "rule": "r77", "text": KILOMETRES, "evidence": ["E1"]},
            "no rule r77",
        ),
        (
            {"action": "add", "rule": "", "text": KILOMETRES, "evidence": ["E55"]},
            "cites no episode",
        ),
        ({"action": "add", "rule": "", "text": "", "evidence": ["E1"]}, "text is missing"),
        ({"action": "add", "rule": "", "text": "So. " * 70, "evidence": ["E1"]}, "at most"),
        (
            {"action": "add", "rule": "", "text": "Match the wanted answer.", "evidence": ["E1"]},
            "names a wanted or given answer",
        ),
    ],
)
async def test_edits_that_break_a_rule_are_refused(
    tmp_path: Path, proposal: dict[str, Any], reason: str
) -> None:
    prompts: list[str] = []

    def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        prompts.append(prompt.last)
        return [proposal]

    there = world(tmp_path, Scripted(propose=propose))
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align(rounds=1)
    assert reason in prompts[1]
    assert any(reason in line for line in run.refused), "the user reads it as well"
    assert not any(line.startswith("-") or "\n" in line for line in run.refused)
    assert run.to_version == 1
    assert proposal["text"] not in [edit.text for edit in run.rounds[0].edits]


async def test_a_literal_rule_is_proved_and_kept_as_a_plain_one(tmp_path: Path) -> None:
    def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        literal = f"The assistant should {STATION[0].lower()}{STATION[1:-1]} (E1)."
        return [{"action": "add", "rule": "", "text": literal, "evidence": ["E1", "E2"]}]

    there = world(tmp_path, Scripted(propose=propose))
    await there.remember(*walks(8, [STATION]))
    run = await there.align(rounds=1)
    assert run.to_version == 2
    assert (await rules_of(there))[-1] == STATION


async def test_a_persona_that_would_grow_too_long_is_refused(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted(), persona_chars=250)
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align(rounds=1)
    assert run.to_version == 1
