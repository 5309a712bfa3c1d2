"""What of PersistBench's memories stands in the system prompt, with embeddings alone and no model.

Each line's memories are stored twice: as statements of a profile's summary, and as episodes. *Needed*
is the share shown of the memories that a beneficial question needs, *unrelated* the share shown of
all memories of the leakage questions; *all* is without ``nodes/agent/relevance.py``. Its constants were
chosen on the lines with an even number, from 0; ``held out`` are the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from filled_home import real_embedder
from measurement import Measurement, print_progress, report_and_exit, skip_benchmark

from personaagent.core.errors import DataError
from personaagent.core.records import Episode, Persona, Profile, Statement
from personaagent.core.settings import Settings, load_settings
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.files import data_folder
from personaagent.eval.tasks.persistbench import TASKS, PersistBench
from personaagent.local.agent import open_local
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.inject_persona import system_prompt
from personaagent.nodes.agent.relevance import relevant_episodes, relevant_profile
from personaagent.nodes.dependencies import Dependencies

SHARES = {"beneficial": ("shown_needed", "needed"), "leakage": ("shown_wrong", "unrelated")}
Counts = dict[tuple[str, str, str], list[float]]


async def measure() -> list[Measurement]:
    tasks = [task for task in TASKS if task.failure in SHARES]
    try:
        samples = {task: [*task.samples(data_folder(), 0)] for task in tasks}
    except DataError as error:
        skip_benchmark(str(error))
    counts: Counts = defaultdict(list)
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder))
        deps = Dependencies.from_settings(settings, real_embedder())
        async with open_local(settings, deps) as agent:
            for task, of_task in samples.items():
                print_progress(f"{task.name} ...")
                for number, sample in enumerate(of_task):
                    half = "held out" if number % 2 else "tuned"
                    prompts = await prompts_of(sample, deps, agent.memory(sample.user_id))
                    count(task, sample, half, prompts, counts)
    return [
        Measurement(f"{variant}, {half}, {what}", 100 * fmean(shares), "%")
        for (variant, half, what), shares in sorted(counts.items())
    ]


async def prompts_of(sample: Sample, deps: Dependencies, memory: UserMemory) -> dict[str, str]:
    """The system prompt for the sample's question, for each way to remember."""
    question, settings = sample.queries[0].text, deps.settings
    statements = [
        Statement(id=f"s{number}", text=each.query) for number, each in enumerate(sample.history)
    ]
    profile = Profile(summary=statements)
    relevant = await relevant_profile(profile, [question], deps.vectors)
    await memory.episodes.add(sample.history)
    await memory.indexer.refresh(len(sample.history))
    recalled = (await memory.recall(question, settings.top_k)).episodes
    episodes = await relevant_episodes(recalled, [question], deps.vectors)
    return {
        "all statements": prompt(settings, profile),
        "statements": prompt(settings, relevant),
        "all episodes": prompt(settings, Profile(), recalled),
        "episodes": prompt(settings, Profile(), episodes),
    }


def prompt(settings: Settings, profile: Profile, recalled: Sequence[Episode] = ()) -> str:
    """The system prompt of a new persona."""
    persona = Persona(version=1, rules=[], author="initial")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    text, _ = system_prompt(persona, profile, recalled, settings, at=at, zone=UTC)
    return text


def count(
    task: PersistBench, sample: Sample, half: str, prompts: dict[str, str], counts: Counts
) -> None:
    """Add the shares of a sample, one value a memory."""
    score, what = SHARES[task.failure]
    query = sample.queries[0]
    for variant, text in prompts.items():
        shares = task.shown(query.text, query.details["memories"], text)
        if score in shares:
            counts[variant, half, what].append(shares[score])


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
