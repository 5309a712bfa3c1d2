"""What learning costs: ``gated`` against ``paper`` in model calls and tokens, on the same episodes.

Three rounds on queries as long as LaMP's. The cost includes the simulations of the current persona on
the batch, critique and update; the calls with which the gate tests candidates are counted apart. The
endpoint is scripted and counts words as tokens. The first and third round find a rule that helps, the
second does not, so that ``gated`` runs all three; ``paper`` accepts a rewrite each time.

The shared prefix is what the prefix cache of an endpoint could reuse in one round: the share of the
prompts' characters, in the order of sending, that the previous prompt, or any earlier one, begins with.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from filled_home import (
    FIRST_EPISODE_AT,
    endpoint_settings,
    filled_home,
    random_sentence,
    real_embedder,
)
from measurement import Measurement, print_progress, report_and_exit
from walk_episodes import PREFERENCES

from personaagent.core.alignment import Alignment
from personaagent.core.records import Episode
from personaagent.core.settings import Mode
from personaagent.local.agent import open_local
from personaagent.nodes.dependencies import Dependencies
from tests.support.endpoint import Endpoint, Reply, scripted_endpoint

ROUNDS = 3
HOLDOUT = 8
SIZES = (3, 8)
QUERY_WORDS = 120
FEEDBACK_WORDS = 80
FIRST, SECOND, THIRD, FOURTH = PREFERENCES
RULES_BY_ROUND = ((FIRST, SECOND), ("Be of help.", "Stay polite."), (THIRD, FOURTH))
"""The rules that critic and editor propose in each round."""
MODES: tuple[Mode, ...] = ("gated", "paper")


async def measure() -> list[Measurement]:
    measurements = []
    for n in SIZES:
        print_progress(f"{ROUNDS} rounds of {n} episodes, gated and paper ...")
        measurements += await _measure_learning(n)
        for mode in MODES:
            measurements += await _measure_shared_prefix(n, mode)
    return measurements


async def _measure_learning(n: int) -> list[Measurement]:
    gated, paper = [(await _align(mode, n, ROUNDS))[0] for mode in MODES]
    assert [each.accepted for each in gated.rounds] == [True, False, True], gated.rounds
    measurements = []
    for unit, gated_cost, paper_cost in zip(
        ("calls", "tokens"), _learning_cost(gated), _learning_cost(paper), strict=True
    ):
        ratio, name = gated_cost / paper_cost, f"n = {n}, {unit}, gated against paper"
        measurements += [
            Measurement(f"n = {n}, {unit} to learn, paper", paper_cost),
            Measurement(f"n = {n}, {unit} to learn, gated", gated_cost),
            Measurement(name, ratio, "x", most=0.75),
        ]
    gate = gated.usage["gate"]
    return [
        *measurements,
        Measurement(f"n = {n}, calls of the gate", gate["llm_calls"]),
        Measurement(f"n = {n}, tokens of the gate", _tokens(gate)),
    ]


async def _measure_shared_prefix(n: int, mode: Mode) -> list[Measurement]:
    _, prompts = await _align(mode, n, 1)
    return [
        Measurement(
            f"n = {n}, shared prefix with {which}, {mode}",
            100 * _shared_prefix(prompts, lookback),
            "%",
        )
        for lookback, which in ((1, "the prompt before"), (len(prompts), "any before"))
    ]


async def _align(mode: Mode, n: int, rounds: int) -> tuple[Alignment, list[str]]:
    """Run an alignment; returns it and the prompts that it sent, in order."""
    async with AsyncExitStack() as stack:
        endpoint: Endpoint = stack.enter_context(scripted_endpoint(_Script()))
        settings = await stack.enter_async_context(
            filled_home({"user": 40}, _long_queries, **endpoint_settings(endpoint.base_url))
        )
        agent = await stack.enter_async_context(
            open_local(settings, Dependencies.from_settings(settings, real_embedder()))
        )
        alignment = await agent.align(
            "user", mode=mode, batch=n, holdout=HOLDOUT, rounds=rounds, candidates=4
        )
    assert len(alignment.rounds) == rounds, alignment
    return alignment, [_prompt(request.body) for request in endpoint.requests]


class _Script:
    """Plays all models: the actor follows the rules in its prompt, the others go by the round."""

    def __init__(self) -> None:
        self._rng = random.Random("script")
        self._round = 0

    def __call__(self, body: dict[str, Any]) -> Reply:
        form = body.get("response_format", {}).get("json_schema", {}).get("name")
        prompt = body["messages"][0]["content"]
        if form == "Critique":
            return json.dumps({"points": [_point(rule) for rule in RULES_BY_ROUND[self._round]]})
        if form == "Proposals":
            return json.dumps({"proposals": [_proposal(rule) for rule in self._rules_of_round()]})
        if "meticulous and critical evaluator" in prompt:
            return random_sentence(self._rng, FEEDBACK_WORDS)
        if "prompt engineer" in prompt:
            return "\n".join([*_persona_rules(prompt), *self._rules_of_round()])
        persona = "\n".join(_persona_rules(prompt))
        return _answer([rule for rule in PREFERENCES if rule in persona])

    def _rules_of_round(self) -> tuple[str, str]:
        self._round += 1
        return RULES_BY_ROUND[self._round - 1]


def _point(rule: str) -> dict[str, Any]:
    return {"given": "", "wanted": "", "point": rule, "episodes": ["E1", "E2"]}


def _proposal(rule: str) -> dict[str, Any]:
    return {"evidence": ["E1", "E2"], "text": rule, "action": "add", "rule": ""}


def _long_queries(user: str, count: int) -> Iterator[Episode]:
    """``count`` corrected answers to long queries."""
    rng = random.Random(user)
    for number in range(count):
        description = random_sentence(rng, QUERY_WORDS)
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=f"How long is the walk that is described here? {description}",
            response=_answer([]),
            ground_truth=_answer([*PREFERENCES]),
            created_at=FIRST_EPISODE_AT + timedelta(minutes=number),
        )


def _answer(rules: list[str]) -> str:
    return " ".join(["The walk takes an hour", *(PREFERENCES[rule] for rule in rules)])


def _persona_rules(prompt: str) -> list[str]:
    """The rules between the marks of the persona."""
    persona = prompt.split("<persona>")[1].split("</persona>")[0]
    return [line.removeprefix("- ") for line in persona.strip().splitlines()]


def _learning_cost(alignment: Alignment) -> tuple[int, int]:
    """Calls and tokens without those of the gate."""
    usage = alignment.usage
    calls: int = usage["llm_calls"] - usage["gate"]["llm_calls"]
    return calls, _tokens(usage) - _tokens(usage["gate"])


def _tokens(usage: dict[str, Any]) -> int:
    return int(usage["input_tokens"] + usage["output_tokens"])


def _prompt(body: dict[str, Any]) -> str:
    return "\n".join(f"{message['role']}: {message['content']}" for message in body["messages"])


def _shared_prefix(prompts: list[str], lookback: int) -> float:
    """The share of all characters that one of the last ``lookback`` prompts begins with, too."""
    shared = 0
    for number, prompt in enumerate(prompts):
        earlier = prompts[max(0, number - lookback) : number]
        shared += max((_common_prefix(prompt, each) for each in earlier), default=0)
    return shared / sum(map(len, prompts))


def _common_prefix(first: str, second: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
