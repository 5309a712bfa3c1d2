"""How busy the evaluation keeps an endpoint, compared with a bare client of the same endpoint.

The endpoint takes 200 ms for an answer and 64 requests at once: 320 answers a second would be ideal.
``personaagent eval run`` reaches for it with several processes, as many as it chooses by itself.
The bare client is the model client itself (langchain-openai), called 64 times at once without anything
around it, before and after ``prompt``. ``prompt`` is the cheapest solver, so that it shows the cost of
the executor itself. ``rag`` and ``persona-no-alignment`` add recall and the agent's graph. Embeddings are
random vectors: no embedding model uses the same processor. These and the memory are measured in one
process; memory after a third of the results of ``prompt`` and at their end.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from filled_home import RandomEmbedder
from instant_endpoint import REPOSITORY
from langchain_core.messages import HumanMessage, SystemMessage
from measurement import Measurement, print_progress, report_and_exit
from slow_endpoint import SlowEndpoint, slow_endpoint

from personaagent.core.settings import Settings, load_settings
from personaagent.eval.evaluation import RunSettings, run_evaluation
from personaagent.eval.executor import execute_plan
from personaagent.eval.query_draw import draw_queries
from personaagent.eval.run_plan import RunPlan, RunProgress
from personaagent.eval.run_record import EvalOptions
from personaagent.eval.solvers.environment import open_environment
from personaagent.eval.solvers.registry import SOLVERS
from personaagent.eval.tasks.all import TASKS
from personaagent.models.chat import Models

sys.path.insert(0, str(REPOSITORY))
from tests.support.movies import TASK, write_movies

LATENCY = 0.2
AT_ONCE = 64
RESULTS = {"prompt": 6000, "rag": 1500, "persona-no-alignment": 600}
BARE = 2000
MEGABYTE = 1e6


class RateBenchmark:
    """The endpoint, the data of users with one query each, and a folder for runs."""

    def __init__(self, endpoint: SlowEndpoint, folder: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder
        self.data = write_movies(folder / "data", max(RESULTS.values()))
        self.settings: Settings = load_settings(
            home=folder,
            openai_base_url=endpoint.base_url,
            openai_api_key="none",
            model="any",
            tool_mode="native",
            concurrency=AT_ONCE,
        )

    async def measure_bare_client(self, count: int) -> float:
        """The share of the ideal rate that the bare client reaches."""
        models = Models(self.settings)
        chat = await models.chat("actor")
        [query] = next(iter(TASKS[TASK].samples(self.data, 0))).queries
        messages = [SystemMessage("You are a helpful assistant."), HumanMessage(query.text)]
        remaining = iter(range(count))

        async def work() -> None:
            for _ in remaining:
                await chat.ainvoke(messages)

        async def all_at_once() -> None:
            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

        share, _ = await self._measure(all_at_once, count)
        await models.aclose()
        return share

    async def measure_solver(
        self, name: str, on_result: Callable[[int], None]
    ) -> tuple[float, float]:
        """The share of the ideal rate that the solver reaches, and processor seconds per result."""
        count = RESULTS[name]
        task = TASKS[TASK]
        queries = draw_queries(task.samples(self.data, 0), count, None, 0)
        plan = RunPlan([task], [SOLVERS[name]], {TASK: queries}, self.data, 0)
        folder = self.folder / name
        folder.mkdir()
        progress = RunProgress(plan.total())
        async with open_environment(
            self.settings, embedder=RandomEmbedder("random")
        ) as environment:
            rate = await self._measure(
                lambda: execute_plan(
                    plan,
                    environment,
                    folder,
                    progress,
                    concurrency=AT_ONCE,
                    on_result=lambda result: on_result(progress.done),
                ),
                count,
            )
        assert (progress.done, progress.failed) == (count, 0)
        return rate

    async def measure_command(self) -> tuple[float, float]:
        """The same of ``prompt`` as the command runs it."""
        options = EvalOptions(tasks=[TASK], methods=["prompt"])
        run_settings = RunSettings(self.data, self.folder / "command", AT_ONCE)

        async def run() -> None:
            await run_evaluation(options, self.settings, run_settings)

        return await self._measure(run, RESULTS["prompt"])

    async def _measure(
        self, work: Callable[[], Awaitable[None]], count: int
    ) -> tuple[float, float]:
        self.endpoint.take_load()
        cpu_started = _processor_seconds()
        await work()
        cpu_seconds = _processor_seconds() - cpu_started
        load = self.endpoint.take_load()
        assert load.requests == count
        assert load.most <= AT_ONCE
        return count * LATENCY / (AT_ONCE * load.span), cpu_seconds / count


def _processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


async def measure() -> list[Measurement]:
    memory: dict[int, int] = {}
    process = psutil.Process()

    def note_memory(done: int) -> None:
        if done % 500 == 0:
            memory[done] = process.memory_info().rss

    with TemporaryDirectory(prefix="bench-") as folder, slow_endpoint(LATENCY) as endpoint:
        benchmark = RateBenchmark(endpoint, Path(folder))
        await benchmark.measure_bare_client(AT_ONCE)  # loading and connecting must not count
        print_progress(f"{RESULTS['prompt']:,} results of prompt, as the command runs it ...")
        command_share, command_seconds = await benchmark.measure_command()
        solver_rates, bare_shares = {}, []
        for name, count in RESULTS.items():
            bare_shares.append(await benchmark.measure_bare_client(BARE))
            on_result = note_memory if name == "prompt" else lambda done: None
            print_progress(f"{count:,} results of {name} ...")
            solver_rates[name] = await benchmark.measure_solver(name, on_result)
    third, end = memory[RESULTS["prompt"] // 3], memory[RESULTS["prompt"]]
    (share, seconds), *others = solver_rates.values()
    bare_share = (bare_shares[0] + bare_shares[1]) / 2
    return [
        Measurement("64 at once, share of the ideal rate", command_share, least=0.95),
        Measurement("processor time a result, with its processes", 1000 * command_seconds, " ms"),
        Measurement("64 at once, share of the ideal rate, bare client", bare_share),
        Measurement("64 at once, share of the ideal rate, prompt in one process", share),
        Measurement("of the bare client's rate", share / bare_share, "x", least=0.85),
        Measurement("processor time a result, prompt", 1000 * seconds, " ms"),
        *(
            measurement
            for name, (share, seconds) in zip([*RESULTS][1:], others, strict=True)
            for measurement in (
                Measurement(f"64 at once, share of the ideal rate, {name}", share),
                Measurement(f"processor time a result, {name}", 1000 * seconds, " ms"),
            )
        ),
        Measurement("memory after 2,000 results", third / MEGABYTE, " MB"),
        Measurement("memory after 6,000 results, against it", end / third, "x", most=1.02),
    ]


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
