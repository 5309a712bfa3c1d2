"""What learning costs: ``gated`` against ``paper`` in model calls and tokens, on the same episodes.

Three rounds on questions as long as LaMP's. Counted are the simulations of the current persona on
the batch, critique and update; what the gate takes to prove candidates stands apart. The endpoint is
scripted, and its tokens are words: the first and the third round find a rule that helps, the second
does not, so that ``gated`` goes on for all three; ``paper`` takes a rewrite each time.

The shared prefix is what an endpoint's prefix cache could reuse in one round: the share of the
prompts' characters, in the order in which they are sent, with which the prompt just before, or any
before, began too.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from measured import Measured, finish, say
from walks import PREFERENCES
from world import BEGIN, real_embedder, sentence, world

from personaagent.core.alignment import Alignment
from personaagent.core.records import Episode
from personaagent.core.settings import Mode
from personaagent.local.agent import open_local
from personaagent.nodes.dependencies import Dependencies
from tests.support.endpoint import Endpoint, Reply, scripted_endpoint

ROUNDS = 3
HELDOUT = 8
SIZES = (3, 8)
QUESTION_WORDS = 120
FEEDBACK_WORDS = 80
FIRST, SECOND, THIRD, FOURTH = PREFERENCES
ROUND_BY_ROUND = ((FIRST, SECOND), ("Be of help.", "Stay polite."), (THIRD, FOURTH))
"""The rules that are asked for."""
MODES: tuple[Mode, ...] = ("gated", "paper")


async def measure() -> list[Measured]:
    found = []
    for n in SIZES:
        say(f"{ROUNDS} rounds of {n} episodes, gated and paper ...")
        runs = {mode: await _aligned(mode, n, ROUNDS) for mode in MODES}
        gated, paper = (runs[mode][0] for mode in MODES)
        assert [each.accepted for each in gated.rounds] == [True, False, True], gated.rounds
        for what, of_gated, of_paper in zip(
            ("calls", "tokens"), _learning(gated), _learning(paper), strict=True
        ):
            found += [
                Measured(f"n = {n}, {what} to learn, paper", of_paper),
                Measured(f"n = {n}, {what} to learn, gated", of_gated),
                Measured(
                    f"n = {n}, {what}, gated against paper", of_gated / of_paper, "x", most=0.75
                ),
            ]
        gate = gated.usage["gate"]
        found += [
            Measured(f"n = {n}, calls of the gate", gate["llm_calls"]),
            Measured(f"n = {n}, tokens of the gate", _tokens(gate)),
        ]
        for mode in MODES:
            _, prompts = await _aligned(mode, n, 1)
            for seen, of in ((1, "the prompt before"), (len(prompts), "any before")):
                name = f"n = {n}, shared prefix with {of}, {mode}"
                found.append(Measured(name, 100 * _shared(prompts, seen), "%"))
    return found


async def _aligned(mode: Mode, n: int, rounds: int) -> tuple[Alignment, list[str]]:
    """A run, and the prompts that were sent in it, in order."""
    async with AsyncExitStack() as stack:
        endpoint: Endpoint = stack.enter_context(scripted_endpoint(_Script()))
        settings = await stack.enter_async_context(
            world(
                {"user": 40},
                _questions,
                openai_base_url=endpoint.base_url,
                openai_api_key="none",
                model="any",
                tool_mode="native",
                align_text_metric="rouge",
            )
        )
        agent = await stack.enter_async_context(
            open_local(settings, Dependencies.from_settings(settings, real_embedder()))
        )
        aligned = await agent.align(
            "user", mode=mode, batch=n, holdout=HELDOUT, rounds=rounds, candidates=4
        )
    assert len(aligned.rounds) == rounds, aligned
    return aligned, [_prompt(request.body) for request in endpoint.requests]


class _Script:
    """All models: the actor follows the rules in its prompt, the others go through the rounds."""

    def __init__(self) -> None:
        self._chance = random.Random("script")
        self._round = 0

    def __call__(self, body: dict[str, Any]) -> Reply:
        form = body.get("response_format", {}).get("json_schema", {}).get("name")
        told = body["messages"][0]["content"]
        if form == "Critique":
            points = [
                {"given": "", "wanted": "", "point": rule, "episodes": ["E1", "E2"]}
                for rule in ROUND_BY_ROUND[self._round]
            ]
            return json.dumps({"points": points})
        if form == "Proposals":
            self._round += 1
            proposals = [
                {"evidence": ["E1", "E2"], "text": rule, "action": "add", "rule": ""}
                for rule in ROUND_BY_ROUND[self._round - 1]
            ]
            return json.dumps({"proposals": proposals})
        if "meticulous and critical evaluator" in told:
            return sentence(self._chance, FEEDBACK_WORDS)
        if "prompt engineer" in told:
            self._round += 1
            return "\n".join([*_persona(told), *ROUND_BY_ROUND[self._round - 1]])
        return _answer([rule for rule in PREFERENCES if any(rule in r for r in _persona(told))])


def _questions(user: str, count: int) -> Iterator[Episode]:
    """So many corrected answers to long questions."""
    chance = random.Random(user)
    for number in range(count):
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=f"How long is the walk that is described here? {sentence(chance, QUESTION_WORDS)}",
            response=_answer([]),
            ground_truth=_answer([*PREFERENCES]),
            created_at=BEGIN + timedelta(minutes=number),
        )


def _answer(rules: list[str]) -> str:
    return " ".join(["The walk takes an hour", *(PREFERENCES[rule] for rule in rules)])


def _persona(prompt: str) -> list[str]:
    """The rules between the marks of the persona."""
    persona = prompt.split("<persona>")[1].split("</persona>")[0]
    return [line.removeprefix("- ") for line in persona.strip().splitlines()]


def _learning(aligned: Alignment) -> tuple[int, int]:
    """Calls and tokens without the gate's."""
    usage = aligned.usage
    calls: int = usage["llm_calls"] - usage["gate"]["llm_calls"]
    return calls, _tokens(usage) - _tokens(usage["gate"])


def _tokens(usage: dict[str, Any]) -> int:
    return int(usage["input_tokens"] + usage["output_tokens"])


def _prompt(body: dict[str, Any]) -> str:
    return "\n".join(f"{each['role']}: {each['content']}" for each in body["messages"])


def _shared(prompts: list[str], seen: int) -> float:
    """The share that stands in one of the last ``seen`` prompts too."""
    shared = 0
    for number, prompt in enumerate(prompts):
        before = prompts[max(0, number - seen) : number]
        shared += max((_common(prompt, each) for each in before), default=0)
    return shared / sum(map(len, prompts))


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    differ = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


if __name__ == "__main__":
    finish(asyncio.run(measure()))
