"""Quality of recall on LoCoMo: each turn of a conversation an episode, its questions the queries.

Recall@k is the share of a question's evidence turns among the k episodes recalled, averaged over
the questions of categories 1 to 4. The data is that of the task ``locomo_recall``.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import get_args

from measured import Measured, finish, say, skip
from world import real_embedder

from personaagent.core.errors import DataError
from personaagent.core.settings import RecallMode, load_settings
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.files import data_folder
from personaagent.eval.tasks.locomo import DEPTHS, LocomoRecall, evidence_share
from personaagent.local.agent import open_local
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies

PATIENCE = 60.0


async def measure() -> list[Measured]:
    try:
        cases = [*LocomoRecall().cases(data_folder(), 0)]
    except DataError as error:
        skip(str(error))
    embedder = real_embedder()
    found: dict[tuple[RecallMode, int], list[float]] = {}
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder), recall_timeout=PATIENCE)
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            for case in cases:
                say(f"{case.id} ...")
                memory = agent.memory(case.user_id)
                await memory.episodes.add(case.history)
                await memory.indexer.refresh(len(case.history))
                for mode in get_args(RecallMode):
                    for k in DEPTHS:
                        shares = await recalls(replace(memory, mode=mode), case, k)
                        found.setdefault((mode, k), []).extend(shares)
    return [
        Measured(f"{mode} recall@{k}", fmean(shares), least=0.55 if (mode, k) == TARGET else None)
        for (mode, k), shares in found.items()
    ]


TARGET = ("hybrid", 8)


async def recalls(memory: UserMemory, case: Sample, k: int) -> list[float]:
    """Recall@k of each question."""
    shares = []
    for question in case.questions:
        recalled = await memory.recall(question.query, k)
        assert not recalled.warnings, recalled.warnings
        shares.append(evidence_share(question, {each.id for each in recalled.episodes}))
    return shares


if __name__ == "__main__":
    finish(asyncio.run(measure()))
