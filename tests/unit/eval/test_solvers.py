"""The solvers of the evaluation, with models that answer by what they are told."""

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import ConfigurationError, ModelUnavailable
from personaagent.core.records import Episode
from personaagent.core.tokens import estimate_tokens
from personaagent.eval.samples import Query, Sample
from personaagent.eval.solvers.icl import draw_examples
from personaagent.eval.solvers.registry import BASELINES, SOLVERS
from tests.support.alignment import PREFERENCES, Scripted, act, answer_to, walks
from tests.support.scripted_model import Prompt, Reply, call
from tests.support.solvers import ASK, TASK, films, most_wanted, open_bench, summarising, wanted

[KILOMETRES, *_] = PREFERENCES
GOLD = "the gold that nobody must see"
ANNA = films(
    "anna",
    ("the knight of a castle", "classic"),
    ("a robot in space", "sci-fi"),
    ("a robot on the moon", "sci-fi"),
    ("the dog and the cat", "comedy"),
    about="the knight of a dark castle in space",
    gold=GOLD,
)
OTHERS = [films(f"other{n}", (f"film {n}", f"tag{n}"), about="x") for n in range(9)]


@summarising
def reader(prompt: Prompt) -> Reply:
    """Answers by what was wanted before, as far as it is told."""
    return ", ".join(wanted("\n".join(message.text for message in prompt.messages))) or "nothing"


@summarising
def by_summary(prompt: Prompt) -> Reply:
    """Answers by the summary that it is told."""
    [summary] = re.findall(r"^<summary>\n(.*?)\n</summary>", prompt.system, re.M | re.S)
    return str(summary)


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


async def test_icl_shows_others_and_never_the_user(tmp_path: Path) -> None:
    same = films("twin", ("the knight of a dark castle in space", "spoilt"), about="x")
    examples = {TASK: draw_examples([*OTHERS, same, ANNA], seed=1)}
    assert "anna" in {each.user_id for each in examples[TASK]}
    async with open_bench(tmp_path, reader, examples=examples, top_k=20) as bench:
        output = await bench.answer("icl", ANNA)
        assert sorted(str(output.text).split(", ")) == sorted(f"tag{n}" for n in range(9))
        assert output.recalled == []
        assert [message["role"] for message in output.messages] == ["system", "user"]
    async with open_bench(tmp_path, reader, examples=examples, top_k=3, seed=0) as bench:
        first = (await bench.answer("icl", ANNA)).text
        assert first == (await bench.answer("icl", ANNA)).text
    found = set()
    for seed in range(5):
        async with open_bench(tmp_path, reader, examples=examples, top_k=3, seed=seed) as bench:
            found.add((await bench.answer("icl", ANNA)).text)
    assert len(found) > 1, "the seed decides"
    async with open_bench(tmp_path, reader) as bench:
        with pytest.raises(ConfigurationError, match="draw_examples"):
            await bench.answer("icl", ANNA)


def test_examples_are_a_draw_of_bounded_size() -> None:
    samples = [films(f"u{n}", ("a", f"{n}"), ("b", f"{n}"), about="x") for n in range(200)]
    drawn = draw_examples(iter(samples), 0, most=20)
    assert len({each.user_id for each in drawn}) == len(drawn) == 20
    assert {each.query for each in drawn} == {f"{ASK}a?", f"{ASK}b?"}
    assert any(int(each.ground_truth or 0) >= 100 for each in drawn), "late ones have their chance"
    assert drawn == draw_examples(iter(samples), 0, most=20) != draw_examples(samples, 1, most=20)
    unlabelled = Episode(user_id="b", query="hello", response="hi")
    mixed = Sample(
        id="c", task=TASK, user_id="c", history=[unlabelled, *samples[0].history], queries=[]
    )
    assert [each.labelled for seed in range(9) for each in draw_examples([mixed], seed)] == [
        True
    ] * 9


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


SPACE = films(
    "anna",
    *[(f"robot {n} in space", "sci-fi") for n in range(4)],
    *[(f"cat {n} on a sofa", "comedy") for n in range(4)],
    about="a robot lost in space",
    gold=GOLD,
)


def bare(tag: str) -> Scripted:
    """Answers with the tag alone."""
    return Scripted(actor=lambda prompt: tag)


async def test_history_decides_by_the_labels_alone(tmp_path: Path) -> None:
    async with open_bench(tmp_path, bare("comedy")) as bench:
        output = await bench.answer("history", SPACE)
        unseen = await bench.answer("history", SPACE.model_copy(update={"history": []}))
        assert bench.prompts == []
    assert output.text == "sci-fi"
    assert output.decision is not None
    assert output.decision.applied
    assert "model" not in {source.name for source in output.decision.sources}
    assert output.decision.confidence > 0.5
    assert (unseen.text, unseen.decision) == ("", None), "nothing is known, so nothing is answered"


async def test_fused_weighs_one_answer_to_the_prompt_of_rag(tmp_path: Path) -> None:
    async with open_bench(tmp_path, bare("comedy"), top_k=2) as bench:
        output = await bench.answer("fused", SPACE)
        [prompt] = bench.prompts
        await bench.answer("rag", SPACE)
        assert prompt.system == bench.prompts[-1].system
    assert (prompt.tools, len(output.recalled)) == ([], 2)
    assert output.usage.by_role["actor"].llm_calls == 1
    assert output.decision is not None
    sources = {source.name: source.probabilities for source in output.decision.sources}
    assert sources["history"]["sci-fi"] > sources["history"]["comedy"]
    assert sources["model"]["comedy"] > sources["model"]["sci-fi"]
    assert output.text == output.decision.answer


async def test_react_weighs_nothing(tmp_path: Path) -> None:
    async with open_bench(tmp_path, bare("comedy")) as bench:
        output = await bench.answer("react", SPACE)
    assert (output.text, output.decision) == ("comedy", None)


LIVED = Sample(
    id="walks",
    task="walks",
    user_id="anna",
    history=walks(14, [KILOMETRES], task="walks"),
    queries=[Query(id="q", text="Tell me about the zoo?", gold=GOLD)],
)


def algorithm_1(prompt: Prompt) -> Reply:
    """The actor, and the free-text evaluator and prompt engineer of the paper's algorithm."""
    if "meticulous" in prompt.last:
        return " ".join(rule for rule, said in PREFERENCES.items() if said in prompt.last)
    if "prompt engineer" in prompt.last:
        return "\n".join(f"- {rule}" for rule in PREFERENCES if rule in prompt.last)
    return act(prompt)


@pytest.mark.parametrize(
    ("solver", "follows"),
    [
        ("persona", [KILOMETRES]),
        ("persona-paper", [KILOMETRES]),
        ("persona-no-memory", [KILOMETRES]),
        ("persona-no-action", [KILOMETRES]),
        ("persona-no-alignment", []),
        ("persona-no-persona", []),
    ],
)
async def test_the_agent_answers_by_what_it_learned_from_the_sample(
    tmp_path: Path, solver: str, follows: list[str]
) -> None:
    scripted = Scripted(actor=algorithm_1)
    async with open_bench(tmp_path, scripted, align_rounds=1) as bench:
        async with SOLVERS[solver].prepare(LIVED, bench.environment) as answerer:
            output = await answerer.answer(LIVED.queries[0])
            again = await answerer.answer(LIVED.queries[0])
        assert output.text == again.text == answer_to("Tell me about the zoo?", follows)
        learned = answerer.training_result
        assert (learned is not None) == bool(follows)
        if learned is not None and learned.alignment is not None:
            assert learned.alignment["to_version"] == output.persona_version == 2
            assert KILOMETRES not in learned.before
            assert f"- {KILOMETRES}" in learned.after.splitlines()
            calls = sum(each.llm_calls for each in learned.usage.by_role.values())
            assert calls == len(bench.prompts) - 2 == learned.alignment["usage"]["llm_calls"]


def openly(sample: Sample) -> Sample:
    """The sample with a question that no set of labels answers, so that tools are offered."""
    query = sample.queries[0].model_copy(update={"text": "Explain how a knight lived."})
    return sample.model_copy(update={"queries": [query]})


@pytest.mark.parametrize(
    ("solver", "tools", "knows"),
    [
        ("persona", "recall_episodes search_wikipedia", "facts memories rules"),
        ("persona-paper", "recall_episodes search_wikipedia", "facts memories rules"),
        ("persona-no-alignment", "recall_episodes search_wikipedia", "facts memories rules"),
        ("persona-no-persona", "recall_episodes search_wikipedia", "memories"),
        ("persona-no-memory", "search_wikipedia", "rules"),
        ("persona-no-action", "", "facts memories rules"),
        ("recall-only", "recall_episodes", "facts rules"),
        ("wikipedia-only", "search_wikipedia", "facts rules"),
        ("recall-and-wikipedia", "recall_episodes search_wikipedia", "facts rules"),
        ("no-tools", "", "facts rules"),
        ("react", "recall_episodes search_wikipedia", ""),
    ],
)
async def test_the_parts_of_each_agent(tmp_path: Path, solver: str, tools: str, knows: str) -> None:
    async with open_bench(tmp_path, Scripted(actor=lambda prompt: "sci-fi")) as bench:
        await bench.answer(solver, openly(ANNA))
        [*_, last] = bench.prompts
    offered = sorted(each["function"]["name"] for each in last.tools)
    signs = {"facts": "the user chose", "memories": "<episode ", "rules": "<persona>\n- "}
    assert offered == tools.split()
    assert [name for name, sign in signs.items() if sign in last.system] == knows.split()


async def test_a_summary_that_is_due_is_written_first(tmp_path: Path) -> None:
    for every, said in ((4, "- Loves sci-fi."), (5, "(none)"), (0, "(none)")):
        async with open_bench(tmp_path, by_summary, summary_every=every) as bench:
            async with SOLVERS["persona-no-alignment"].prepare(ANNA, bench.environment) as answerer:
                assert (await answerer.answer(openly(ANNA).queries[0])).text == said
            assert (answerer.training_result is not None) == (every == 4)


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
