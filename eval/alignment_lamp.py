"""Alignment on real users: the loss on questions never seen, before it and after, in both modes.

    python eval/alignment_lamp.py --task LaMP_2M_style --users 20 --out FILE.jsonl
    python eval/alignment_lamp.py --summary FILE.jsonl ...

A line of FILE is a user; those that it holds already are not measured again, so that a run that
was stopped goes on where it stood. The model is the one that the settings name.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore
from rich.console import Console
from rich.table import Table

from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.errors import PersonaAgentError, UsageError
from personaagent.core.records import Episode
from personaagent.core.settings import Mode, Settings, load_settings
from personaagent.core.states import AgentContext
from personaagent.eval.case import Case, Question
from personaagent.eval.estimate import estimate
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.files import data_folder
from personaagent.graphs import agent, alignment
from personaagent.memory.kinds import TaskKind, kind_of
from personaagent.memory.tally import tally
from personaagent.models.chat import Models
from personaagent.models.embeddings import make_embedder
from personaagent.nodes.alignment.metrics import exact, metric_of
from personaagent.nodes.parts import Parts

Json = dict[str, Any]

MODES = get_args(Mode)
FEWEST_LABELS = 5
PATIENCE = 60.0
STEPS = 500
"""More than any run of alignment takes."""

console = Console(stderr=True)


@dataclass(frozen=True)
class Options:
    """What a measurement is made with; it stands in each record."""

    task: str
    seed: int
    history: int
    tests: int
    top_k: int
    prompt_tokens: int
    batch: int
    holdout: int
    rounds: int
    candidates: int


@dataclass(frozen=True)
class LampUser:
    """One user: labelled episodes, oldest first, and later questions that are not among them."""

    user_id: str
    task: str
    history: list[Episode]
    tests: list[Question]


def users_of(cases: Iterable[Case], most_tests: int) -> list[LampUser]:
    """The users of LaMP's cases, each with the latest ``most_tests`` questions as tests.

    The history is what any of the user's cases knows but the tests themselves, and what is dated
    at the first of them or later.
    """
    by_user: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_user[case.user_id].append(case)
    return [_user(own, most_tests) for own in by_user.values()]


def _user(cases: list[Case], most_tests: int) -> LampUser:
    asked = sorted((case.questions[0] for case in cases), key=_date)
    tests = asked[-most_tests:]
    queries, begin = {test.query for test in tests}, _date(tests[0])
    episodes = {
        (each.created_at, each.query, each.ground_truth): each
        for case in cases
        for each in case.history
        if each.query not in queries and each.created_at.isoformat() < begin
    }
    history = [
        each.model_copy(update={"id": f"{each.task}-{number}"})
        for number, each in enumerate(sorted(episodes.values(), key=lambda e: e.created_at), 1)
    ]
    return LampUser(cases[0].user_id, cases[0].task, history, tests)


def _date(question: Question) -> str:
    """When it was asked, after all that is dated if that is not known."""
    return str(question.details.get("date", "~"))


@dataclass(frozen=True)
class World:
    """Agent and alignment over one store and index, in which every measurement is a user."""

    parts: Parts
    store: InMemoryStore
    agent: CompiledStateGraph[Any, AgentContext, Any, Any]
    alignment: CompiledStateGraph[Any, AlignmentContext, Any, Any]
    options: Options
    kind: TaskKind

    @classmethod
    def of(cls, settings: Settings, home: Path, options: Options, kind: TaskKind) -> "World":
        """A world in the folder ``home``; the models are those in the folder of ``settings``."""
        parts = replace(
            Parts.make(settings.model_copy(update={"home": home}), make_embedder(settings)),
            models=Models(settings),
        )
        store, saver = InMemoryStore(), InMemorySaver()
        return cls(
            parts,
            store,
            agent.build(parts).compile(store=store),
            alignment.build(parts).compile(store=store, checkpointer=saver),
            options,
            kind,
        )

    async def measure(self, user: LampUser) -> Json:
        """The record of a user: each mode starts from the initial persona and the same history."""
        record: Json = {
            "task": user.task,
            "user_id": user.user_id,
            "actor": self.parts.models.describe("actor"),
            "options": vars(self.options),
            "metric": metric_of(user.task, {user.task: self.kind}, "rouge"),
            "range": self.kind.highest - self.kind.lowest,
            "golds": {test.id: test.gold for test in user.tests},
        }
        for mode in MODES:
            name = f"{mode} {user.user_id}"
            await self.remember(name, user)
            if "initial" not in record:
                record["initial"] = await self.test(name, user)
            result = await self.align(name, mode)
            record[mode] = await self.test(name, user) | {"alignment": result}
        return record

    async def remember(self, name: str, user: LampUser) -> None:
        """Give the newest of the user's history to ``name``."""
        memory = self.parts.memory.of(self.store, name)
        newest = user.history[-self.options.history :]
        await memory.episodes.add([e.model_copy(update={"user_id": name}) for e in newest])
        await memory.indexer.catch_up(len(newest))

    async def test(self, name: str, user: LampUser) -> Json:
        """What the agent answers to the test questions now, and the scores (0: no usable answer)."""
        answers = {test.id: await self.answer(name, user.task, test) for test in user.tests}
        metric = metric_of(user.task, {user.task: self.kind}, "rouge")
        scores = {
            test.id: exact(metric, answers[test.id], test.gold, self.kind)[0] or 0.0
            for test in user.tests
        }
        return {"answers": answers, "scores": scores}

    async def answer(self, name: str, task: str, test: Question) -> str:
        """The agent's answer; nothing of it is remembered."""
        context = AgentContext(user_id=name, task=task, incognito=True)
        done = await self.agent.ainvoke({"messages": [HumanMessage(test.query)]}, context=context)
        assert not done["warnings"], done["warnings"]
        return str(done["messages"][-1].text)

    async def align(self, name: str, mode: Mode) -> Json:
        """The result of a run of alignment."""
        options = self.options
        context = AlignmentContext(
            user_id=name,
            mode=mode,
            batch=options.batch,
            holdout=options.holdout,
            rounds=options.rounds,
            candidates=options.candidates,
            seed=options.seed,
        )
        done = await self.alignment.ainvoke(
            {"trigger": "evaluation"},
            {"configurable": {"thread_id": name}, "recursion_limit": STEPS},
            context=context,
        )
        return dict(done["result"])


async def measure_all(
    users: Sequence[LampUser], kind: TaskKind, options: Options, model: str | None, out: Path
) -> None:
    """Measure the users and append their records to ``out``, each as soon as it is made."""
    settings = load_settings(
        **({"model": model} if model else {}),
        top_k=options.top_k,
        prompt_tokens=options.prompt_tokens,
        max_steps=1,  # no tools, as in simulations
        align_text_metric="rouge",
        recall_timeout=PATIENCE,
    )
    with TemporaryDirectory(prefix="lamp-") as home:
        world = World.of(settings, Path(home), options, kind)
        try:
            for number, user in enumerate(users, 1):
                started = time.monotonic()
                record = await world.measure(user)
                record["seconds"] = round(time.monotonic() - started, 1)
                append(record, out)
                console.print(f"user {number} of {len(users)}: {record['seconds']:,.0f} s")
        finally:
            await world.parts.aclose()


def left_to_measure(
    everyone: Sequence[LampUser], count: int, options: Options, out: Path
) -> list[LampUser]:
    """Of so many users with enough labels those that ``out`` does not hold yet.

    Chosen by the seed; a larger ``count`` adds users to those of a smaller one.

    Raises:
        UsageError: what ``out`` holds was measured in another way.
    """
    known = read(out) if out.exists() else []
    if any(record["options"] != vars(options) for record in known):
        raise UsageError(f"{out} was measured with other options: give another --out.")
    done = {record["user_id"] for record in known}
    eligible = [user for user in everyone if len(user.history) >= FEWEST_LABELS]
    order = np.random.default_rng(options.seed).permutation(len(eligible))
    chosen = [eligible[place] for place in order[:count]]
    return [user for user in chosen if user.user_id not in done]


def append(record: Json, out: Path) -> None:
    """Add a line to ``out``."""
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read(file: Path) -> list[Json]:
    """The records of a file."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def summary(records: Sequence[Json]) -> Table:
    """Means over the users of one task, the changes with 95% intervals by paired bootstrap."""
    task, items = records[0]["task"], sum(len(record["golds"]) for record in records)
    table = Table(title=f"{task}: {len(records)} users, {items} questions, {records[0]['actor']}")
    table.add_column("")
    for mode in MODES:
        table.add_column(mode, justify="right")
    columns = [figures(records, mode) for mode in MODES]
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    return table


def figures(records: Sequence[Json], mode: Mode) -> dict[str, str]:
    """What is told of a mode."""
    before = [loss(record["initial"]) for record in records]
    after = [loss(record[mode]) for record in records]
    measure = "mean absolute error" if records[0]["metric"] == "number" else "accuracy"
    own = [
        mean * records[0]["range"] if records[0]["metric"] == "number" else 1 - mean
        for mean in (fmean(before), fmean(after))
    ]
    change = estimate(np.subtract(after, before).tolist())
    results = [record[mode]["alignment"] for record in records]
    usage = [result["usage"] for result in results]
    published = sum(result["to_version"] != result["from_version"] for result in results)
    tokens = [each["input_tokens"] + each["output_tokens"] for each in usage]
    gate = [each["gate"] for each in usage]
    return {
        "loss before": f"{fmean(before):.3f}",
        "loss after": f"{fmean(after):.3f}",
        "change": f"{change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}]",
        measure: "{:.3f}, then {:.3f}".format(*own),
        "published": f"{published} of {len(results)}",
        "LLM calls a user": f"{fmean(each['llm_calls'] for each in usage):.1f}",
        "of them proving": f"{fmean(each['llm_calls'] for each in gate):.1f}",
        "tokens a user": f"{fmean(tokens):,.0f}",
        "simulations not paid for again": f"{fmean(each['cached'] for each in usage):.1f}",
        "seconds a user": f"{fmean(result['seconds'] for result in results):,.0f}",
    }


def loss(measured: Json) -> float:
    """A user's mean loss on the test questions."""
    return 1 - fmean(measured["scores"].values())


def main() -> None:
    """Measure, then show the summary; or show it only."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--summary", nargs="+", type=Path, metavar="FILE", help="show these only")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the records are kept")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--model", help="a model other than that of the settings")
    lamp = [name for name in TASKS if name.startswith("LaMP")]
    parser.add_argument("--task", default="LaMP_2M_style", choices=lamp, metavar="LaMP_...")
    parser.add_argument("--history", type=int, default=24, help="newest labelled items remembered")
    parser.add_argument("--tests", type=int, default=2, help="test questions a user, at most")
    parser.add_argument("--prompt-tokens", type=int, default=1000)
    for name, default in (
        ("top-k", 2),
        ("batch", 3),
        ("holdout", 6),
        ("rounds", 2),
        ("candidates", 3),
        ("seed", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = vars(parser.parse_args())
    files, out, users, model = (given.pop(name) for name in ("summary", "out", "users", "model"))
    if not files and out is None:
        parser.error("give --out or --summary")
    try:
        if not files:
            options = Options(**given)
            everyone = users_of(TASKS[options.task].cases(data_folder(), 0), options.tests)
            [task] = tally(episode for user in everyone for episode in user.history)
            left = left_to_measure(everyone, users, options, out)
            asyncio.run(measure_all(left, kind_of(task), options, model, out))
        for file in files or [out]:
            Console().print(summary(read(file)))
    except PersonaAgentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
