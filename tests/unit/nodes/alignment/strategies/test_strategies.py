"""Strategies of alignment: what researchers may add, and what a careless model may answer."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.alignment_run import AlignmentRun
from personaagent.nodes.alignment.evaluator import Evaluator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.alignment.strategies.gate_rule import is_better
from personaagent.nodes.alignment.strategies.held_out_gate import HeldOutGate
from personaagent.nodes.alignment.strategies.protocols import Verdict
from tests.support.alignment import PREFERENCES, Scripted, act, answer_to, criticise, walks, world
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

KILOMETRES, *_ = PREFERENCES


class StrictGate(HeldOutGate):
    """Accepts only what is strictly better on the held-out episodes as well."""

    async def decide(self, run: AlignmentRun, evaluator: Evaluator) -> Verdict:
        verdict = await super().decide(run, evaluator)
        if verdict.accepted and not is_better(run.losses, verdict.losses_after, run.holdout):
            return replace(verdict, accepted=False, reason="no better on the held-out episodes")
        return verdict


@pytest.mark.parametrize("strict", [False, True])
async def test_a_gate_of_ones_own_can_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    """Where the held-out answers stay as they were, the usual gate accepts, and that one does not."""
    if strict:
        monkeypatch.setitem(STRATEGIES, "gated", replace(STRATEGIES["gated"], gate=StrictGate()))
    latest = [each.query for each in walks(8, [])[5:]]

    def actor(prompt: Prompt) -> Reply:
        return act(prompt) if prompt.last in latest else answer_to(prompt.last, [])

    there = world(tmp_path, Scripted(actor=actor))
    await there.remember(*walks(8, [KILOMETRES]))
    run = await there.align(rounds=1)
    assert run.to_version == (1 if strict else 2)
    assert ("no better on the held-out" in run.rounds[0].reason) == strict


async def test_an_answer_that_is_longer_than_asked_for_is_used(tmp_path: Path) -> None:
    """Endpoints without a grammar do not keep to lengths; that must not cost the round."""

    def critique(prompt: Prompt) -> Reply:
        points = json.loads(str(criticise(prompt)))["points"]
        wordy = {"given": "That is too short. " * 20, "wanted": points[0]["wanted"] + " more" * 90}
        return json.dumps({"points": [points[0] | wordy] * 9})

    def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        rambling = {"action": "add", "rule": "", "text": "Be kind. " * 90, "evidence": ["E1"]}
        useful = rambling | {"text": missing[0], "evidence": ["E1"] * 12}
        return [*[rambling] * 9, useful]

    there = world(tmp_path, Scripted(critique=critique, propose=propose))
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align(rounds=1)
    assert run.to_version == 2
    assert KILOMETRES in [rule.text for rule in run.rules_after]
    assert len(run.rounds[0].gradient) < 1500
