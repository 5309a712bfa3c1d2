"""What a user's own weights gain where history and names decide, without a model, on all users of LaMP.

    python benchmarks/own_weights.py

Each user's newest labels are decided as questions, their own label hidden. Weights are fitted on them and
proved by the gate's rule, as alignment does. Then they decide the user's question of the data, which
neither has seen. *Always* takes the weights without the gate. Intervals are by bootstrap over users.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from decision_weights import NEAREST
from filled_home import real_embedder
from measurement import Measurement, print_progress, report_and_exit, skip_benchmark
from numpy.typing import NDArray

from personaagent.core.alignment import Loss
from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.core.errors import DataError
from personaagent.core.weights import Weights
from personaagent.eval.estimate import interval
from personaagent.eval.metrics.protocol import Outcome
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.files import data_folder
from personaagent.eval.tasks.lamp import LampTask
from personaagent.memory.label_counts import count_labels
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.models.embeddings import Embedder
from personaagent.nodes.alignment.fit_weights import examples, fit_weights
from personaagent.nodes.alignment.reweigh import decided_by
from personaagent.nodes.alignment.strategies.gate_rule import passes_on_all
from personaagent.nodes.decision.defaults import RECENT, default_weights
from personaagent.nodes.decision.history_votes import history_votes
from personaagent.nodes.decision.name_votes import name_votes
from personaagent.nodes.decision.weighing import weigh

LABELS = 24
"""As many of the newest as a run of alignment simulates, about."""
GAIN = Mean("gain in accuracy", "gain")
Vectors = NDArray[np.float32]


class Trial(NamedTuple):
    """The weights of one user, if any could be fitted, and what they gain on the user's question."""

    user: str
    weights: Weights | None
    accepted: bool
    gain: float


async def try_task(task: LampTask, embedder: Embedder) -> list[Trial]:
    """Fit, prove and try the weights of each user with a history."""
    names = await _vectors(task.labels, embedder)
    samples = task.samples(data_folder(), 0)
    return [await _try(task, sample, names, embedder) for sample in samples if sample.history]


async def _try(task: LampTask, sample: Sample, names: Vectors, embedder: Embedder) -> Trial:
    asked = sample.queries[0]
    texts = [each.query for each in sample.history] + [asked.text]
    *told, question = await _vectors([_without_ask(task, text) for text in texts], embedder)
    newest = [*zip(sample.history, told, strict=True)][-LABELS:]
    known = {
        episode.id: _decision(task, sample, told, asks, names, hidden=episode.id)
        for episode, asks in newest
    }
    labels = {each.id: each.ground_truth or "" for each, _ in newest}
    learned = examples(known, labels)
    fitted = fit_weights([*learned.values()])
    if fitted is None:
        return Trial(sample.user_id, None, accepted=False, gain=0.0)
    default = default_weights("labels", task.name)
    without = dict(zip(learned, fitted.without, strict=True))
    before = {id: _loss(id, known[id], default, labels[id]) for id in known}
    after = {id: _loss(id, known[id], without.get(id, fitted.weights), labels[id]) for id in known}
    decision = _decision(task, sample, told, question, names, hidden="")
    right = [decided_by(decision, each).answer == asked.gold for each in (fitted.weights, default)]
    passed = passes_on_all(before, after, batch=[*known], holdout=[], earlier_batches=[])
    return Trial(sample.user_id, fitted.weights, passed, float(right[0]) - float(right[1]))


def _decision(
    task: LampTask,
    sample: Sample,
    told: Sequence[Vectors],
    asks: Vectors,
    names: Vectors,
    *,
    hidden: str,
) -> Decision:
    """What the votes and the names say of one question, with one label hidden."""
    seen = [(each, at) for at, each in enumerate(sample.history) if each.id != hidden]
    [counts] = count_labels([each for each, _ in seen])
    near = sorted(((float(told[at] @ asks), each) for each, at in seen), key=lambda one: -one[0])
    similar = [
        SimilarLabel(each.id, each.ground_truth or "", cosine, each.created_at.timestamp())
        for cosine, each in near[:NEAREST]
    ]
    question = ClosedQuestion(kind="labels", answers=[*task.labels], task=task.name)
    votes = [
        history_votes(question.answers, counts, similar, half_life) for half_life in (0.0, RECENT)
    ]
    cosines = dict(zip(task.labels, map(float, names @ asks), strict=True))
    weights = default_weights("labels", task.name)
    decision = weigh(question, votes[0], None, name_votes(cosines), weights)
    noted = {"recent_history": votes[1], "chosen_before": [*counts.counts]}
    return decision.model_copy(update=noted)


def _loss(id: str, decision: Decision, weights: Weights, wanted: str) -> Loss:
    answer = decided_by(decision, weights).answer
    score = float(answer == wanted)
    return Loss(episode=id, metric="label", score=score, expected=wanted, simulated=answer)


async def _vectors(texts: Sequence[str], embedder: Embedder) -> Vectors:
    return np.asarray(await embedder.embed([*texts]))


def _without_ask(task: LampTask, text: str) -> str:
    return text.removeprefix(task.form.ask).strip()


def measure(name: str, trials: Sequence[Trial]) -> list[Measurement]:
    """How many users get weights, and what those gain over the users of the task."""
    figures = [
        Measurement(f"{name}, fitted", 100 * fmean(bool(t.weights) for t in trials), "%"),
        Measurement(f"{name}, accepted", 100 * fmean(t.accepted for t in trials), "%"),
    ]
    for way, gains in (
        ("always", [t.gain for t in trials]),
        ("gated", [t.gain if t.accepted else 0.0 for t in trials]),
    ):
        outcomes = [
            Outcome(trial.user, "", "", {"gain": one}, None)
            for trial, one in zip(trials, gains, strict=True)
        ]
        gain = interval(GAIN, outcomes)
        better, worse = Counter(np.sign(gains))[1.0], Counter(np.sign(gains))[-1.0]
        print_progress(
            f"{name}, {way}: {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] over "
            f"{len(gains)} questions, {better} better, {worse} worse"
        )
        figures.append(Measurement(f"{name}, {way}, {GAIN.name}", gain.mean))
    return figures


def main() -> None:
    """Fit, prove, try, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", default="LaMP_2M_style,LaMP_2N")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    embedder, figures = real_embedder(), []
    for name in options.tasks.split(","):
        task = TASKS[name]
        assert isinstance(task, LampTask)
        try:
            figures += measure(name, asyncio.run(try_task(task, embedder)))
        except DataError as error:
            skip_benchmark(str(error))
    report_and_exit(figures)


if __name__ == "__main__":
    main()
