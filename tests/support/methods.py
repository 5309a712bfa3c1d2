"""A lab for tests: scripted models, bags of words; and users who tag films."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.solvers.all import SOLVERS
from personaagent.eval.solvers.environment import EvalEnvironment, open_environment
from personaagent.models.chat import Models
from tests.support.embedder import BagEmbedder
from tests.support.memories import START
from tests.support.scripted_model import Prompt, Reply, Responder, ScriptedModel, ScriptedModels

ASK = "Which tag fits the film about "
TASK = "tags"


@dataclass(frozen=True)
class Bench:
    """A lab, and what its models and its embedder were given."""

    lab: EvalEnvironment
    prompts: list[Prompt]
    embedder: BagEmbedder

    async def answer(self, method: str, case: Sample, number: int = 0) -> Answered:
        """What the method answers to that question of the case."""
        async with SOLVERS[method].ready(case, self.lab) as answerer:
            return await answerer.answer(case.questions[number])


@asynccontextmanager
async def bench(home: Path, responder: Responder, **settings: Any) -> AsyncIterator[Bench]:
    """A lab under these settings; ``seed`` and ``examples`` are its own."""
    given = {name: settings.pop(name) for name in ("seed", "examples") if name in settings}
    model = ScriptedModel(responder=responder, prompts=[])
    models, embedder = cast(Models, ScriptedModels(model)), BagEmbedder()
    made = load_settings(home=home, **({"align_text_metric": "rouge"} | settings))
    async with open_environment(made, models=models, embedder=embedder, **given) as lab:
        yield Bench(lab, model.prompts, embedder)


def films(user: str, *seen: tuple[str, str], about: str, case: str = "", gold: str = "?") -> Sample:
    """A user who gave each film that they saw a tag, a day apart, and is asked for one ``about``."""
    return Sample(
        id=case or user,
        task=TASK,
        user_id=user,
        history=[
            Episode(
                id=f"film{number}",
                user_id=user,
                query=f"{ASK}{film}?",
                response="",
                ground_truth=tag,
                task=TASK,
                created_at=START + timedelta(days=number),
            )
            for number, (film, tag) in enumerate(seen)
        ],
        questions=[Query(id="q", query=f"{ASK}{about}?", gold=gold)],
    )


def summarising(actor: Responder) -> Responder:
    """The actor; and a critic whose summary says what the user wanted most often."""

    def respond(prompt: Prompt) -> Reply:
        form = prompt.options.get("response_format", {}).get("json_schema", {}).get("name")
        if form != "Changes":
            return actor(prompt)
        change = {"statement": "new", "text": f"Loves {most_wanted(wanted(prompt.last))}."}
        return json.dumps({"changes": [change | {"evidence": ["E1"]}]})

    return respond


def wanted(text: str) -> list[str]:
    """What is said in a prompt to have been wanted."""
    return re.findall(r"(?:what the user wanted|the user wanted): (.*)", text)


def most_wanted(texts: Sequence[str]) -> str:
    """The most frequent; "nothing" of none."""
    return next((text for text, _ in Counter(texts).most_common(1)), "nothing")
