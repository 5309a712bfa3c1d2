"""Quality of recall on LoCoMo: the turns of a conversation are episodes, its questions the queries.

Recall@k is the share of a question's evidence turns among the k episodes recalled, averaged over
the questions of categories 1 to 4. The data is that of the task ``locomo_recall``.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import get_args

from filled_home import real_embedder
from measurement import Measurement, print_progress, report_and_exit, skip_benchmark

from personaagent.core.errors import DataError
from personaagent.core.settings import RecallMode, load_settings
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.files import data_folder
from personaagent.eval.tasks.locomo import DEPTHS, LocomoRecall, evidence_share
from personaagent.local.agent import open_local
from personaagent.memory.recall import Recall
from personaagent.nodes.dependencies import Dependencies

RECALL_TIMEOUT = 60.0


async def measure() -> list[Measurement]:
    try:
        samples = [*LocomoRecall().samples(data_folder(), 0)]
    except DataError as error:
        skip_benchmark(str(error))
    embedder = real_embedder()
    shares_by_depth: dict[tuple[RecallMode, int], list[float]] = {}
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder), recall_timeout=RECALL_TIMEOUT)
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            for sample in samples:
                print_progress(f"{sample.id} ...")
                memory = agent.memory(sample.user_id)
                await memory.episodes.add(sample.history)
                await memory.indexer.refresh(len(sample.history))
                for mode in get_args(RecallMode):
                    recaller = replace(memory.recaller, mode=mode)
                    for k in DEPTHS:
                        shares = await recall_shares(recaller, sample, k)
                        shares_by_depth.setdefault((mode, k), []).extend(shares)
    return [
        Measurement(
            f"{mode} recall@{k}", fmean(shares), least=LEAST.get(k) if mode == "hybrid" else None
        )
        for (mode, k), shares in shares_by_depth.items()
    ]


LEAST = {4: 0.56, 8: 0.68}


async def recall_shares(recaller: Recall, sample: Sample, k: int) -> list[float]:
    """Recall@k of each query."""
    shares = []
    for query in sample.queries:
        recalled = await recaller.recall(query.text, k)
        assert not recalled.warnings, recalled.warnings
        shares.append(evidence_share(query, {episode.id for episode in recalled.episodes}))
    return shares


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
