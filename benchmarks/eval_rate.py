"""How busy the evaluation keeps an endpoint, against a bare client of the same endpoint.

The endpoint takes 200 ms for an answer, and 64 requests at once: 320 answers a second would be
ideal. The bare client is the model's own (langchain-openai), asked 64 times at once with nothing
around it, before ``prompt`` and after it; ``prompt`` is the runner's cheapest method, and so the
one that shows what the runner itself takes. ``rag`` and ``persona-no-alignment`` show what recall,
and the agent's graph, take besides; embeddings are random vectors, so that no embedding model works
on the same processor. Memory is that of the process, after a third of the answers of ``prompt`` and
at their end.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from endpoint import REPOSITORY
from langchain_core.messages import HumanMessage, SystemMessage
from measured import Measured, finish, say
from slow_endpoint import SlowEndpoint, slow_endpoint
from world import RandomVectors

from personaagent.core.settings import Settings, load_settings
from personaagent.eval.plan import Plan, Progress
from personaagent.eval.runner import evaluate
from personaagent.eval.sampling import draw
from personaagent.eval.solvers.all import SOLVERS
from personaagent.eval.solvers.environment import open_environment
from personaagent.eval.tasks.all import TASKS
from personaagent.models.chat import Models

sys.path.insert(0, str(REPOSITORY))
from tests.support.movies import TASK, write_movies

LATENCY = 0.2
AT_ONCE = 64
SAMPLES = {"prompt": 6000, "rag": 1500, "persona-no-alignment": 600}
BARE = 2000
MEGABYTE = 1e6


class Bench:
    """The endpoint, the data of ``users`` who ask one question each, and a folder for runs."""

    def __init__(self, endpoint: SlowEndpoint, folder: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder
        self.data = write_movies(folder / "data", max(SAMPLES.values()))
        self.settings: Settings = load_settings(
            home=folder,
            openai_base_url=endpoint.base_url,
            openai_api_key="none",
            model="any",
            tool_mode="native",
            concurrency=AT_ONCE,
        )

    async def bare(self, count: int) -> float:
        """The share of the ideal rate that the bare client reaches."""
        models = Models(self.settings)
        chat = await models.chat("actor")
        [question] = next(iter(TASKS[TASK].cases(self.data, 0))).questions
        told = [SystemMessage("You are a helpful assistant."), HumanMessage(question.query)]
        left = iter(range(count))

        async def work() -> None:
            for _ in left:
                await chat.ainvoke(told)

        async def all_at_once() -> None:
            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

        share, _ = await self._measure(all_at_once, count)
        await models.aclose()
        return share

    async def method(self, name: str, on_done: Callable[[int], None]) -> tuple[float, float]:
        """Its share of the ideal rate, and processor seconds a sample."""
        count = SAMPLES[name]
        task = TASKS[TASK]
        asked = draw(task.cases(self.data, 0), count, None, 0)
        plan = Plan([task], [SOLVERS[name]], {TASK: asked}, self.data, 0)
        folder = self.folder / name
        folder.mkdir()
        progress = Progress(plan.total())
        async with open_environment(self.settings, embedder=RandomVectors("random")) as lab:
            found = await self._measure(
                lambda: evaluate(
                    plan,
                    lab,
                    folder,
                    progress,
                    concurrency=AT_ONCE,
                    on_done=lambda sample: on_done(progress.done),
                ),
                count,
            )
        assert (progress.done, progress.failed) == (count, 0)
        return found

    async def _measure(
        self, work: Callable[[], Awaitable[None]], count: int
    ) -> tuple[float, float]:
        self.endpoint.busy()
        worked = time.process_time()
        await work()
        worked = time.process_time() - worked
        busy = self.endpoint.busy()
        assert busy.requests == count
        assert busy.most <= AT_ONCE
        return count * LATENCY / (AT_ONCE * busy.span), worked / count


async def measure() -> list[Measured]:
    memory: dict[int, int] = {}
    process = psutil.Process()

    def note(done: int) -> None:
        if done % 500 == 0:
            memory[done] = process.memory_info().rss

    with TemporaryDirectory(prefix="bench-") as folder, slow_endpoint(LATENCY) as endpoint:
        bench = Bench(endpoint, Path(folder))
        await bench.bare(AT_ONCE)  # what is loaded and connected at the first call is no rate
        found, bare = {}, []
        for name, count in SAMPLES.items():
            bare.append(await bench.bare(BARE))
            say(f"{count:,} samples of {name} ...")
            found[name] = await bench.method(name, note if name == "prompt" else lambda done: None)
    third, end = memory[SAMPLES["prompt"] // 3], memory[SAMPLES["prompt"]]
    (share, seconds), *others = found.values()
    beside = (bare[0] + bare[1]) / 2
    return [
        Measured("64 at once, share of the ideal rate, bare client", beside),
        Measured("64 at once, share of the ideal rate, prompt", share, least=0.9),
        Measured("of the bare client's rate", share / beside, "x", least=0.85),
        Measured("processor time a sample, prompt", 1000 * seconds, " ms"),
        *(
            measured
            for name, (share, seconds) in zip([*SAMPLES][1:], others, strict=True)
            for measured in (
                Measured(f"64 at once, share of the ideal rate, {name}", share),
                Measured(f"processor time a sample, {name}", 1000 * seconds, " ms"),
            )
        ),
        Measured("memory after 2,000 samples", third / MEGABYTE, " MB"),
        Measured("memory after 6,000 samples, against it", end / third, "x", most=1.02),
    ]


if __name__ == "__main__":
    finish(asyncio.run(measure()))
