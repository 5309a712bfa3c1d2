"""Quality of the labels that vote: on LaMP, is the label of the nearest question the right one?

No model answers. ``nearest`` takes the label of the nearest question, ``votes`` the one that most of
the 20 nearest have, each counted by exp(8 (cosine - 1)). The data is that of the tasks ``LaMP_*``.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from math import exp
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from filled_home import real_embedder
from measurement import Measurement, print_progress, report_and_exit, skip_benchmark

from personaagent.core.errors import DataError
from personaagent.core.settings import load_settings
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.files import data_folder
from personaagent.eval.tasks.lamp import TASKS
from personaagent.local.agent import open_local
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies

LEAST = {("LaMP_2M_style", "nearest"): 0.5, ("LaMP_2N", "nearest"): 0.39}
SHARPNESS = 8.0


async def measure() -> list[Measurement]:
    embedder = real_embedder()
    right: dict[tuple[str, str], list[bool]] = {}
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder), recall_timeout=60.0)
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            for task in (each for each in TASKS if each.name in {name for name, _ in LEAST}):
                print_progress(f"{task.name} ...")
                try:
                    samples = [*task.samples(data_folder(), 0)]
                except DataError as error:
                    skip_benchmark(str(error))
                for sample in samples:
                    for way, hits in (await answers(agent.memory(sample.user_id), sample)).items():
                        right.setdefault((task.name, way), []).extend(hits)
    return [
        Measurement(f"{task} {way}", fmean(hits), least=LEAST.get((task, way)))
        for (task, way), hits in right.items()
    ]


async def answers(memory: UserMemory, sample: Sample) -> dict[str, list[bool]]:
    """Whether each way answers each query of the sample rightly."""
    await memory.episodes.add(sample.history)
    await memory.indexer.refresh(2 * len(sample.history))
    right: dict[str, list[bool]] = {"nearest": [], "votes": []}
    for query in sample.queries:
        similar = await memory.similar_labels(query.text, sample.history[0].task)
        right["nearest"].append(similar[0].token == query.gold)
        right["votes"].append(most_voted(similar) == query.gold)
    return right


def most_voted(similar: Sequence[SimilarLabel]) -> str:
    """The label with most votes."""
    votes: defaultdict[str, float] = defaultdict(float)
    for label in similar:
        votes[label.token] += exp(SHARPNESS * (label.cosine - 1))
    return max(votes, key=lambda token: votes[token])


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
