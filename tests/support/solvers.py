"""An environment for tests of solvers: scripted models, bags of words, and users who tag films."""

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
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.solvers.environment import EvalEnvironment, open_environment
from personaagent.eval.solvers.registry import SOLVERS
from personaagent.models.chat import Models
from tests.support.embedder import BagEmbedder
from tests.support.memories import START
from tests.support.scripted_model import Prompt, Reply, Responder, ScriptedModel, ScriptedModels

ASK = "Which tag fits the film about "
TASK = "tags"


@dataclass(frozen=True)
class SolverBench:
    """An environment, and the prompts and texts that its models received."""

    environment: EvalEnvironment
    prompts: list[Prompt]
    embedder: BagEmbedder

    async def answer(self, solver: str, sample: Sample, number: int = 0) -> SolverOutput:
        """The solver's answer to that query of the sample."""
        async with SOLVERS[solver].prepare(sample, self.environment) as answerer:
            return await answerer.answer(sample.queries[number])


@asynccontextmanager
async def open_bench(
    home: Path, responder: Responder, **settings: Any
) -> AsyncIterator[SolverBench]:
    """An environment with these settings; ``seed`` and ``examples`` go to the environment itself."""
    own = {name: settings.pop(name) for name in ("seed", "examples") if name in settings}
    model = ScriptedModel(responder=responder, prompts=[])
    models, embedder = cast(Models, ScriptedModels(model)), BagEmbedder()
    loaded = load_settings(home=home, **({"align_text_metric": "rouge"} | settings))
    async with open_environment(loaded, models=models, embedder=embedder, **own) as environment:
        yield SolverBench(environment, model.prompts, embedder)


def films(
    user: str, *seen: tuple[str, str], about: str, sample_id: str = "", gold: str = "?"
) -> Sample:
    """A user who gave each film that they saw a tag, a day apart, and is asked for one ``about``."""
    return Sample(
        id=sample_id or user,
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
        queries=[Query(id="q", text=f"{ASK}{about}?", gold=gold)],
    )


def summarising(actor: Responder) -> Responder:
    """The actor, and a critic whose summary says what the user wanted most often."""

    def respond(prompt: Prompt) -> Reply:
        form = prompt.options.get("response_format", {}).get("json_schema", {}).get("name")
        if form != "Changes":
            return actor(prompt)
        change = {"statement": "new", "text": f"Loves {most_wanted(wanted(prompt.last))}."}
        return json.dumps({"changes": [change | {"evidence": ["E1"]}]})

    return respond


def wanted(text: str) -> list[str]:
    """What the user wanted, as far as a prompt says it."""
    return re.findall(r"(?:right answer: |the user wanted: | -> )(.*)", text)


def most_wanted(texts: Sequence[str]) -> str:
    """The most frequent text; "nothing" if there is none."""
    return next((text for text, _ in Counter(texts).most_common(1)), "nothing")
