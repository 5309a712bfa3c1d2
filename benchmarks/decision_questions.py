"""The questions of ``decisions.py``: what is known of each before a model is asked, and its prompt."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from personaagent.core.decision import QuestionKind
from personaagent.core.records import Episode
from personaagent.core.text import shorten
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.lamp import LampTask
from personaagent.models.embeddings import Embedder

KINDS: dict[str, QuestionKind] = {
    "LaMP_2M_style": "labels",
    "LaMP_2N": "labels",
    "LaMP_3_style": "numbers",
    "LaMP_1": "options",
}
SIMILAR = 40
SHOWN, SHOWN_CHARS = 4, 240
"""How many of the nearest episodes a prompt shows, and how much of each."""
_OPTION = re.compile(r'\[(?P<side>[12])\]: "(?P<text>.*?)"(?= \[2\]: |$)', re.DOTALL)
_TITLE = re.compile(r'with the title "(?P<title>.*?)", which', re.DOTALL)


@dataclass(frozen=True)
class Question:
    """One question, with the evidence that needs no model.

    ``similar``: of the nearest labelled episodes, nearest first, the label, the cosine and the time
    (Unix seconds). ``labels``: all, oldest first. ``names``: a cosine for each answer, to its name
    or, for an option, of its text to the nearest text of the user.
    """

    task: str
    id: str
    user: str
    gold: str
    answers: Sequence[str]
    labels: Sequence[tuple[float, str]]
    similar: Sequence[tuple[str, float, float]]
    names: dict[str, float]
    prompts: list[list[BaseMessage]] = field(repr=False)

    def record(self) -> dict[str, Any]:
        """All but the prompts, as JSON."""
        return {key: value for key, value in vars(self).items() if key != "prompts"}


async def questions_of(name: str, data: Path, embedder: Embedder) -> AsyncIterator[Question]:
    """The questions of a task of ``KINDS``, in an order that mixes the users."""
    task = TASKS[name]
    samples = [*task.samples(data, 0)]
    for index in np.random.default_rng(0).permutation(len(samples)):
        if name == "LaMP_1":
            yield await _of_options(samples[index], embedder)
        else:
            assert isinstance(task, LampTask)
            yield await _of_labels(task, samples[index], embedder)


async def _of_labels(task: LampTask, sample: Sample, embedder: Embedder) -> Question:
    query = sample.queries[0]
    asks = query.text.removeprefix(task.form.ask).strip()
    texts = [episode.query.removeprefix(task.form.ask).strip() for episode in sample.history]
    nearest = await _nearest(asks, sample.history, texts, embedder)
    names = await _cosines(asks, task.labels, embedder)
    return Question(
        task=sample.task,
        id=query.id,
        user=sample.user_id,
        gold=query.gold,
        answers=task.labels,
        labels=_labels(sample.history),
        similar=[(_label(e), cosine, e.created_at.timestamp()) for e, _, cosine in nearest],
        names=dict(zip(task.labels, names, strict=True)),
        prompts=[_prompt(task.form.ask, sample.history, nearest, asks, task.labels)],
    )


async def _of_options(sample: Sample, embedder: Embedder) -> Question:
    """Asked in both orders. The user's texts are the titles and the references chosen."""
    query = sample.queries[0]
    own = [text for episode in sample.history for text in _own_texts(episode)]
    options = _options(query.text)
    names = {
        side: max(await _cosines(text, own, embedder), default=0.0)
        for side, text in options.items()
    }
    sides = [*options]
    swapped = dict(zip(sides, reversed([*options.values()]), strict=True))
    return Question(
        task=sample.task,
        id=query.id,
        user=sample.user_id,
        gold=query.gold,
        answers=sides,
        labels=_labels(sample.history),
        similar=[],
        names=names,
        prompts=[_option_prompt(query.text, own, each) for each in (options, swapped)],
    )


def _labels(history: Sequence[Episode]) -> list[tuple[float, str]]:
    return [(episode.created_at.timestamp(), _label(episode)) for episode in history]


def _label(episode: Episode) -> str:
    return episode.ground_truth or ""


async def _nearest(
    asks: str, history: Sequence[Episode], texts: Sequence[str], embedder: Embedder
) -> list[tuple[Episode, str, float]]:
    cosines = await _cosines(asks, texts, embedder)
    ranked = sorted(zip(history, texts, cosines, strict=True), key=lambda each: -each[2])
    return ranked[:SIMILAR]


async def _cosines(asks: str, texts: Sequence[str], embedder: Embedder) -> list[float]:
    if not texts:
        return []
    vectors = np.asarray(await embedder.embed([asks, *texts]))
    return [float(cosine) for cosine in vectors[1:] @ vectors[0]]


def _prompt(
    ask: str,
    history: Sequence[Episode],
    nearest: Sequence[tuple[Episode, str, float]],
    asks: str,
    answers: Sequence[str],
) -> list[BaseMessage]:
    """The instruction once, facts, the nearest episodes, and the question."""
    facts = _counted(map(_label, history))
    shown = "\n".join(f"- {shorten(t, SHOWN_CHARS)} -> {_label(e)}" for e, t, _ in nearest[:SHOWN])
    system = f"{ask}\n\nThis user's answers so far: {facts}.\nThe most similar ones:\n{shown}"
    user = f"{asks}\n\nAnswer with exactly one of these and nothing else: {', '.join(answers)}"
    return [SystemMessage(system), HumanMessage(user)]


def _option_prompt(query: str, own: Sequence[str], options: dict[str, str]) -> list[BaseMessage]:
    head = query.split(" [1]: ")[0]
    listed = " ".join(f'{side}: "{text}"' for side, text in options.items())
    titles = "\n".join(f"- {shorten(text, SHOWN_CHARS)}" for text in dict.fromkeys(own[:16]))
    system = f"Titles of this author's papers and references:\n{titles}"
    return [SystemMessage(system), HumanMessage(f"{head} {listed}")]


def _options(query: str) -> dict[str, str]:
    return {f"[{found['side']}]": found["text"] for found in _OPTION.finditer(query)}


def _own_texts(episode: Episode) -> list[str]:
    title = _TITLE.search(episode.query)
    chosen = _options(episode.query).get(_label(episode))
    return [text for text in (title and title["title"], chosen) if text]


def _counted(labels: Any) -> str:
    return ", ".join(f"{label} ({count})" for label, count in Counter(labels).most_common())
