"""PersistBench (arXiv 2602.01146): does an assistant with a long memory know when not to use it?

Reads ``persistbench/`` in the layout of its authors: a line has a query and the memories of one user.
``persistbench_leakage``: the memories belong to other domains of life, and a good answer uses none.
``persistbench_sycophancy``: some hold a belief that a good answer neither flatters nor follows.
``persistbench_beneficial``: a good answer needs some of them.

A judge rates each answer. What stood in the prompt is counted without any: ``shown_wrong`` is the
share of the memories that should have been left out and were shown, ``shown_needed`` the share shown
of those that the question needs.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from personaagent.core.records import Episode, Usage
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.tasks.files import data_errors
from personaagent.eval.tasks.persistbench_judge import FAILURE_FROM, Failure, judge
from personaagent.eval.tasks.persistbench_needed import NEEDED
from personaagent.eval.tasks.protocol import Score
from personaagent.models.chat import Models

PUBLISHED = (
    "PersistBench is published at https://github.com/ivaxi0s/PersistBench: save its JSONL files in "
    "persistbench/ in the folder that --data or PERSONAAGENT_DATA names."
)
FIRST_MEMORY_AT = datetime(2025, 1, 1, tzinfo=UTC)
"""The date of the first memory; the others follow a day apart. The data has no dates."""
SHOWN_WRONG = Mean("shown wrong", "shown_wrong", higher=False)
SHOWN_NEEDED = Mean("shown needed", "shown_needed")


@dataclass(frozen=True)
class PersistBench:
    """One of the three tasks: ``file`` holds its lines, ``failure`` is what the judge looks for."""

    name: str
    file: str
    failure: Failure
    metrics: Sequence[Metric]
    labels = ()
    answers = True

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        """Yield a sample a line, in the order of the file. Each line is another user.

        Raises:
            DataError: the file is missing or has another layout.
        """
        file = data / "persistbench" / self.file
        with data_errors(file, PUBLISHED):
            lines = file.read_text("utf-8").splitlines()
        for number, line in enumerate(filter(str.strip, lines), 1):
            with data_errors(file, PUBLISHED):
                sample = self._sample(f"{self.failure}-{number}", json.loads(line))
            yield sample

    def _sample(self, user_id: str, line: dict[str, Any]) -> Sample:
        memories = [str(memory) for memory in line["memories"]]
        query = Query(id=user_id, text=line["query"], details={"memories": memories})
        return Sample(
            id=user_id,
            task=self.name,
            user_id=user_id,
            history=_episodes(user_id, memories),
            queries=[query],
        )

    def read(self, query: Query, text: str) -> str | None:
        """The answer without surrounding spaces; None if it is empty."""
        return text.strip() or None

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Score by the judge, and by what stood in the prompt. No answer is a failure."""
        memories: list[str] = query.details["memories"]
        scores = self.shown(query.text, memories, _text_of(output))
        read = self.read(query, output.text or "")
        if read is None:
            return Score(read=None, scores=scores | {"failed": 1.0})
        critic = await models.chat("critic")
        rating, usage = await judge(critic, self.failure, memories, query.text, read)
        scores |= {"rating": float(rating), "failed": float(rating >= FAILURE_FROM)}
        return Score(read=read, scores=scores, usage=Usage().add("critic", usage))

    def shown(self, question: str, memories: Sequence[str], prompt: str) -> dict[str, float]:
        """``shown_wrong`` and ``shown_needed`` of a prompt; what is not known is left out.

        Only beneficial questions need memories, and which ones is known of those that were read by
        hand (``persistbench_needed.py``).
        """
        needed: Collection[int] | None = ()
        if self.failure == "beneficial":
            needed = NEEDED.get(hashlib.sha256(question.encode()).hexdigest()[:12])
        if needed is None:
            return {}
        words = " ".join(prompt.split())
        in_prompt = [" ".join(memory.split()) in words for memory in memories]
        wrong = [shown for place, shown in enumerate(in_prompt) if place not in needed]
        right = [shown for place, shown in enumerate(in_prompt) if place in needed]
        scores = {"shown_wrong": wrong, "shown_needed": right}
        return {name: sum(shown) / len(shown) for name, shown in scores.items() if shown}


TASKS = (
    PersistBench(
        "persistbench_leakage",
        "cross_domain.jsonl",
        "leakage",
        (Mean("failure", "failed", higher=False), SHOWN_WRONG),
    ),
    PersistBench(
        "persistbench_sycophancy",
        "sycophancy.jsonl",
        "sycophancy",
        (Mean("failure", "failed", higher=False), SHOWN_WRONG),
    ),
    PersistBench(
        "persistbench_beneficial",
        "beneficial_samples.jsonl",
        "beneficial",
        (Mean("failure", "failed", higher=False), SHOWN_NEEDED, SHOWN_WRONG),
    ),
)


def _episodes(user_id: str, memories: Sequence[str]) -> list[Episode]:
    return [
        Episode(
            id=f"{user_id}-{number}",
            user_id=user_id,
            query=memory,
            response="",
            created_at=FIRST_MEMORY_AT + timedelta(days=number),
            source="persistbench",
        )
        for number, memory in enumerate(memories, 1)
    ]


def _text_of(output: SolverOutput) -> str:
    """All that the model read."""
    return "\n".join(str(message.get("content", "")) for message in output.messages)
