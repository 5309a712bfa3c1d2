"""The solvers of the evaluation, with models that answer by what they are told."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import ModelUnavailable
from personaagent.core.tokens import estimate_tokens
from personaagent.eval.samples import Query
from personaagent.eval.solvers.icl import draw_examples
from personaagent.eval.solvers.registry import BASELINES, SOLVERS
from tests.support.alignment import Scripted
from tests.support.film_lovers import ANNA, GOLD, OTHERS, by_summary, reader
from tests.support.scripted_model import Prompt, Reply, call
from tests.support.solvers import ASK, TASK, films, most_wanted, open_bench, wanted


@pytest.mark.parametrize(
    ("solver", "answer", "recalled"),
    [
        ("prompt", "nothing", []),
        ("recency", "sci-fi, comedy", ["film3", "film2"]),
        ("rag", "classic, sci-fi", ["film0", "film1"]),
        ("pag", "classic, sci-fi", ["film0", "film1"]),
        ("majority", "sci-fi", []),
        ("similar", "classic", ["film0"]),
        ("no-tools", "nothing", []),
        ("persona-no-alignment", "classic, sci-fi", ["film0", "film1"]),
    ],
)
async def test_what_a_solver_knows(
    tmp_path: Path, solver: str, answer: str, recalled: list[str]
) -> None:
    async with open_bench(tmp_path, reader, top_k=2) as bench:
        output = await bench.answer(solver, ANNA)
        assert (output.text, output.recalled) == (answer, recalled)
        calls = sum(usage.llm_calls for usage in output.usage.by_role.values())
        assert calls == int(SOLVERS[solver].uses_model)
        assert len(bench.prompts) == calls + (solver == "pag")


async def test_pag_tells_what_the_critic_wrote(tmp_path: Path) -> None:
    for solver in ("pag", "membank"):
        async with open_bench(tmp_path, by_summary) as bench:
            async with SOLVERS[solver].prepare(ANNA, bench.environment) as answerer:
                assert answerer.training_result is not None
                assert answerer.training_result.usage.by_role["critic"].llm_calls == 1
                output = await answerer.answer(ANNA.queries[0])
            assert output.text == "- Loves sci-fi."
            assert list(output.usage.by_role) == ["actor"], "the summary is not paid here again"


async def test_the_reminder_stands_after_the_latest_of_the_conversation(tmp_path: Path) -> None:
    def last_wanted(prompt: Prompt) -> Reply:
        roles = [message.type for message in prompt.messages]
        assert roles == ["system", *["human", "ai"] * (len(roles) // 2 - 1), "human"]
        assert prompt.last.startswith(ANNA.queries[0].text)
        assert prompt.last.endswith("consistent with my preference.")
        return " ".join(m.text for m in prompt.messages if m.type == "ai")

    async with open_bench(tmp_path, last_wanted) as bench:
        output = await bench.answer("reminder", ANNA)
        assert output.text == "classic sci-fi sci-fi comedy"
        assert output.recalled == ["film3", "film2", "film1", "film0"]
    long = films("ben", *[(f"{n} {'very ' * 90}", f"tag{n}") for n in range(20)], about="x")
    async with open_bench(tmp_path, lambda prompt: "ok", prompt_tokens=500) as bench:
        output = await bench.answer("reminder", long)
        assert output.recalled == ["film19", "film18", "film17", "film16"]
        assert 300 < sum(estimate_tokens(each["content"]) for each in output.messages[:-1]) <= 500


@pytest.mark.parametrize("solver", ["recency", "rag", "pag", "membank", "icl"])
async def test_the_budget_holds_for_all(tmp_path: Path, solver: str) -> None:
    long = films("ben", *[(f"{f'very{n} ' * 90}", f"tag{n}") for n in range(20)], about="x")
    examples = {
        TASK: draw_examples(
            [films(f"u{n}", (f"{f'so{n} ' * 200}", "t"), about="x") for n in range(9)], 0
        )
    }
    async with open_bench(tmp_path, reader, prompt_tokens=600, examples=examples) as bench:
        output = await bench.answer(solver, long)
    assert estimate_tokens(output.messages[0]["content"]) <= 600
    shown = output.messages[0]["content"].count("<episode ")
    assert 1 <= shown < 8
    assert len(output.recalled) == (0 if solver == "icl" else shown)


async def test_react_looks_into_the_past_by_its_tool_alone(tmp_path: Path) -> None:
    def look(prompt: Prompt) -> Reply:
        assert "<persona>" not in prompt.system
        assert not wanted(prompt.system)
        if prompt.observations:
            return most_wanted(wanted(prompt.observations[0]))
        return [call("recall_episodes", query="dog", k=1)]

    async with open_bench(tmp_path, look) as bench:
        output = await bench.answer("react", ANNA)
    assert (output.text, output.recalled) == ("comedy", [])
    assert [each["role"] for each in output.messages] == ["system", "user", "assistant", "tool"]
    assert output.usage.by_role["actor"].llm_calls == 2


@pytest.mark.parametrize("solver", SOLVERS)
async def test_the_gold_is_never_told(tmp_path: Path, solver: str) -> None:
    examples = {TASK: draw_examples([*OTHERS, ANNA], 0)}
    for sample in (ANNA, ANNA.model_copy(update={"history": []})):
        async with open_bench(
            tmp_path, Scripted(actor=reader, critique=reader), examples=examples
        ) as bench:
            output = await bench.answer(solver, sample)
            assert bool(bench.prompts) == SOLVERS[solver].uses_model
        assert GOLD not in repr(bench.prompts)
        assert GOLD not in str(output)
        assert output.text is not None


@pytest.mark.parametrize("solver", ["rag", "similar", "persona-no-alignment", "membank"])
async def test_samples_of_one_user_do_not_see_each_other(tmp_path: Path, solver: str) -> None:
    samples = [
        films("anna", ("a knight", f"tag{n}"), about="a knight", sample_id=f"case{n}")
        for n in range(3)
    ]
    async with open_bench(tmp_path, reader) as bench, AsyncExitStack() as stack:
        side_by_side = [
            await stack.enter_async_context(SOLVERS[solver].prepare(sample, bench.environment))
            for sample in samples
        ]
        answers = [await each.answer(samples[0].queries[0]) for each in side_by_side]
        assert [each.text for each in answers] == ["tag0", "tag1", "tag2"]


async def test_nothing_that_was_asked_is_remembered(tmp_path: Path) -> None:
    async with open_bench(tmp_path, reader) as bench:
        for name, solver in SOLVERS.items():
            if name == "icl":
                continue
            async with solver.prepare(ANNA, bench.environment) as answerer:
                first = await answerer.answer(ANNA.queries[0])
                other = Query(id="o", text=f"{ASK}the knight of a very dark castle?")
                await answerer.answer(other)
                assert await answerer.answer(ANNA.queries[0]) == first, name


@pytest.mark.parametrize("solver", [name for name, each in SOLVERS.items() if each.prepare_recall])
async def test_recall_alone_asks_no_model(tmp_path: Path, solver: str) -> None:
    def fail(prompt: Prompt) -> Reply:
        raise AssertionError("no model is needed")

    prepare_recall: Any = SOLVERS[solver].prepare_recall
    async with open_bench(tmp_path, fail, top_k=1) as bench:
        async with prepare_recall(ANNA, bench.environment) as answerer:
            output = await answerer.answer(ANNA.queries[0])
        assert output.text is None
        first = "film3" if solver == "recency" else "film0"
        if solver != "membank":
            assert len(output.recalled) == 4, "the metric cuts at its own k"
            assert output.recalled[0] == first


def test_which_solvers_exist() -> None:
    assert {name for name, each in SOLVERS.items() if each.prepare_recall} == {
        "recency",
        "rag",
        "pag",
        "membank",
    }
    assert {name for name, each in SOLVERS.items() if not each.uses_model} == {
        "majority",
        "similar",
        "history",
    }
    assert all(not name.startswith("persona") for name in BASELINES)
    assert {name for name, solver in SOLVERS.items()} == {each.name for each in SOLVERS.values()}


@pytest.mark.parametrize(
    ("history", "options", "majority", "similar"),
    [
        ([("the red car", "A"), ("the blue sea", "B"), ("a red bus", "A")], [], "A", "B"),
        ([("the red car", "A"), ("the blue sea", "B")], ["A", "B"], "B", "B"),
        ([("red wine from France", "[1]")], ["blue jeans", "red wine"], "[1]", "red wine"),
        ([], ["one", "two"], "one", ""),
        ([], [], "", ""),
    ],
    ids=["labels", "ties go to the latest", "positions", "no history", "nothing at all"],
)
async def test_without_a_model(
    tmp_path: Path, history: list[tuple[str, str]], options: list[str], majority: str, similar: str
) -> None:
    sample = films("anna", *history, about="the blue sky")
    asked = sample.queries[0].model_copy(update={"options": options})
    sample = sample.model_copy(update={"queries": [asked]})
    async with open_bench(tmp_path, reader, top_k=0) as bench:
        assert (await bench.answer("majority", sample)).text == majority
        assert (await bench.answer("similar", sample)).text == similar


async def test_what_breaks_off_is_asked_once_more(tmp_path: Path) -> None:
    failures: list[Exception] = [ModelUnavailable("It broke off.", retried=False)]
    async with open_bench(tmp_path, lambda prompt: failures.pop() if failures else "ok") as bench:
        assert (await bench.answer("rag", ANNA)).text == "ok"
        failures += [ModelUnavailable("Down.")]
        with pytest.raises(ModelUnavailable):
            await bench.answer("rag", ANNA)
        assert len(bench.prompts) == 3, "what was retried already is not retried again"
