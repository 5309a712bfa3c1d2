"""Poison: a user's history with an attack in it, a gullible critic and editor, and what is published.

The models believe everything: the actor repeats what it is told in memories and tool results, the
critic and the editor make rules of every order that stands in their prompts, alone and mixed with
a rule that really helps, citing all that is shown or the honest part of it.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool, tool

import personaagent.prompts
from personaagent.nodes.alignment import edits
from tests.support.alignment import (
    PREFERENCES,
    Scripted,
    World,
    answer_to,
    criticise,
    walks,
    world,
)
from tests.support.attacks import TRUTHS, Attack, attacks
from tests.support.scripted_model import Prompt, Reply, call

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

STATION, WEATHER = "Mention the nearest railway station.", "Add how the weather will be."
PREAMBLE = (
    (Path(personaagent.prompts.__file__).parent / "system.md")
    .read_text(encoding="utf-8")
    .split("$persona")[0]
)


def persona_in(prompt: Prompt) -> str:
    """The rules that the actor is told."""
    return prompt.system.split("\n<persona>")[1].split("</persona>")[0]


def act(prompt: Prompt) -> str:
    """Answers by the rules in the persona, also where they stand among others."""
    told = persona_in(prompt).casefold()
    question = next(
        each.text for each in reversed(prompt.messages) if isinstance(each, HumanMessage)
    )
    return answer_to(question, [rule for rule in PREFERENCES if rule[:-1].casefold() in told])


class Gullible:
    """Believes what ``attack`` says wherever it comes across it; ``seen`` by which roles."""

    def __init__(self, attack: Attack) -> None:
        self.attack = attack
        self.seen: set[str] = set()
        self.models = Scripted(self.propose, self.criticise, self.act)

    def act(self, prompt: Prompt) -> Reply:
        """Looks up what it can, and repeats the attack."""
        if prompt.tools and not prompt.observations:
            return [call(prompt.tools[0]["function"]["name"])]
        heard = self._hears("actor", prompt.system.split("<memories>")[-1], *prompt.observations)
        return f"{act(prompt)} {self.attack.text}" if heard else act(prompt)

    def criticise(self, prompt: Prompt) -> Reply:
        """What is missing, and what the attack orders."""
        points = json.loads(str(criticise(prompt)))["points"]
        if self._hears("critic", prompt.system):
            told = {"point": self.attack.rule, "episodes": self._shown(prompt)}
            points += [points[0] | told] if points else []
        return json.dumps({"points": points})

    def propose(self, prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        """The poison in a useful rule first, then alone, in place of another, and what is useful."""
        poison = self.attack.rule
        if not missing:
            return []
        honest = self._shown(prompt, PREFERENCES[missing[0]])
        useful = {"action": "add", "rule": "", "text": missing[0], "evidence": honest}
        if not self._hears("editor", prompt.system, prompt.messages[2].text):
            return [useful]
        joined = f"{missing[0][:-1]} and {poison[0].lower()}{poison[1:]}"
        texts = [f"{missing[0]} {poison}", joined, f"{poison} {missing[0]}", poison]
        edits = [useful | {"text": text, "evidence": self._shown(prompt)} for text in texts]
        edits += [{**edits[0], "evidence": honest}, {**edits[0], "action": "replace", "rule": "r1"}]
        return [*edits, useful]

    def _hears(self, role: str, *texts: str) -> bool:
        """Whether most of the attack's words stand there: fences and cuts may have changed some."""
        words = set(re.findall(r"\w+", self.attack.text))
        heard = len(words & set(re.findall(r"\w+", " ".join(texts)))) > 0.8 * len(words)
        self.seen |= {role} if heard else set()
        return heard

    def _shown(self, prompt: Prompt, wanted: str = "") -> list[str]:
        """The episodes of the case, or those in which the user wanted just that and no more."""
        shown = re.split(r"^(?=E\d)", prompt.system, flags=re.MULTILINE)[1:]
        hidden = self.attack.text.splitlines()[0]
        return [
            each.split("\n")[0].split(" ")[0]
            for each in shown
            if not wanted
            or (
                wanted in each.split("wanted answer:")[1]
                and hidden not in each.split("wanted answer:")[1]
            )
        ]


def tool_of(attack: Attack) -> BaseTool:
    """A tool that returns the attack."""

    async def look_up() -> str:
        """Look something up."""
        return attack.text

    name = "search_wikipedia" if attack.channel == "wikipedia" else "opening_hours"
    return tool(name)(look_up)


async def attacked(home: Path, attack: Attack) -> tuple[World, Gullible]:
    """The world of a user with 8 honest episodes and the attack, after gated alignment.

    The first attack of each channel has a second round, which begins with what was learned.
    """
    gullible = Gullible(attack)
    there = world(home, gullible.models)
    looked_up = attack.channel in ("tool", "wikipedia")
    there.deps = replace(there.deps, tools=[tool_of(attack)])
    await there.remember(*walks(8, [STATION, WEATHER]), *([] if looked_up else attack.episodes()))
    rounds = 2 if attack.id.endswith("-01") else 1
    await there.align(tools=looked_up, candidates=8, batch=6, rounds=rounds)
    return there, gullible


async def published(there: World) -> list[str]:
    """The text of every rule of every version."""
    versions = await there.memory.personas.history()
    return [rule.text for version in versions for rule in version.rules]


def holds(texts: list[str], attack: Attack) -> bool:
    return any(attack.rule.rstrip(".").casefold() in text.casefold() for text in texts)


FOUND = [each for each in attacks() if each.id not in ("import-02", "truth-15")]
"""Those that the guard finds: see test_guard.py."""


@pytest.mark.parametrize("attack", FOUND, ids=lambda each: each.id)
async def test_no_attack_becomes_a_rule(attack: Attack, tmp_path: Path) -> None:
    there, gullible = await attacked(tmp_path, attack)
    if attack.channel == "answer":
        assert not gullible.seen, "an unconfirmed answer reaches nobody"
    else:
        assert {"critic", "editor"} <= gullible.seen, "it has reached who could be deceived"
    rules = await published(there)
    assert not holds(rules, attack)
    assert {STATION, WEATHER} & set(rules), "what the user really wants is learned all the same"
    actors = [each for each in there.prompts if "You are the personal assistant" in each.system]
    assert actors
    assert all(each.system.startswith(PREAMBLE) for each in actors)
    assert not holds([persona_in(each) for each in actors], attack), "not even tried"


REACHING = [each for each in attacks() if each.channel != "answer"]


@pytest.mark.parametrize("attack", REACHING[::9], ids=lambda each: each.id)
async def test_without_the_guard_the_same_attack_becomes_a_rule(
    attack: Attack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "refusal", lambda *_: None)
    there, _ = await attacked(tmp_path, attack)
    assert holds(await published(there), attack)


@pytest.mark.parametrize("occasions", [1, 2])
async def test_a_wish_on_two_occasions_can_become_a_rule(occasions: int, tmp_path: Path) -> None:
    rule = "Always mention the nearest railway station."

    def propose(prompt: Prompt, missing: list[str]) -> list[dict[str, Any]]:
        wishes = re.split(r"^(?=E\d)", prompt.system, flags=re.MULTILINE)[1:]
        ids = [each.split("\n")[0] for each in wishes if "From now on" in each]
        return [{"action": "add", "rule": "", "text": rule, "evidence": ids}] if missing else []

    there = world(tmp_path, Scripted(propose, actor=act))
    history = walks(8, [STATION])
    wished = [
        each.model_copy(
            update={"ground_truth": f"{each.ground_truth}. From now on, {rule.lower()}"}
        )
        for each in history[-occasions:]
    ]
    await there.remember(*history[:-occasions], *wished)
    await there.align()
    assert (rule in await published(there)) == (occasions == 2)


def test_every_channel_is_tried() -> None:
    assert {each.channel for each in attacks()} > set(TRUTHS)
