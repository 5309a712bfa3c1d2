"""Strategies of alignment: what researchers may add, and what a careless model may answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from personaagent.nodes.alignment.strategies import methods
from tests.support.alignment import PREFERENCES, Scripted, act, answer_to, criticise, walks, world
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

KILOMETRES, *_ = PREFERENCES
DOCS = Path(__file__).parents[4] / "docs" / "alignment.md"


@pytest.mark.parametrize("strict", [False, True])
async def test_the_gate_of_the_documentation_can_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    """Where the held-out answers stay as they were, the usual gate accepts, and that one does not."""
    [example] = re.findall(
        r"^```python\n(.*?)^```", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    defined: dict[str, Any] = {}
    exec(example, defined)
    if strict:
        gated = methods.METHODS["gated"]
        added = methods.Method(gated.critic, gated.editor, defined["Strict"]())
        monkeypatch.setitem(methods.METHODS, "gated", added)
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
