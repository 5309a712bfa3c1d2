"""The methods of the evaluation, with models that answer by what they are told."""

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import ConfigurationError, ModelUnavailable
from personaagent.core.records import Episode
from personaagent.core.tokens import estimate_tokens
from personaagent.eval.samples import Query, Sample
from personaagent.eval.solvers.all import BASELINES, SOLVERS
from personaagent.eval.solvers.icl import draw_examples
from tests.support.alignment import PREFERENCES, Scripted, act, answer_to, walks
from tests.support.methods import ASK, TASK, bench, films, most_wanted, summarising, wanted
from tests.support.scripted_model import Prompt, Reply, call

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
    ("method", "answer", "recalled"),
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
async def test_what_a_method_knows(
    tmp_path: Path, method: str, answer: str, recalled: list[str]
) -> None:
    async with bench(tmp_path, reader, top_k=2) as there:
        answered = await there.answer(method, ANNA)
        assert (answered.text, answered.recalled) == (answer, recalled)
        calls = sum(usage.llm_calls for usage in answered.usage.by_role.values())
        assert calls == int(SOLVERS[method].asks)
        assert len(there.prompts) == calls + (method == "pag")


async def test_pag_tells_what_the_critic_wrote(tmp_path: Path) -> None:
    for method in ("pag", "membank"):
        async with bench(tmp_path, by_summary) as there:
            async with SOLVERS[method].ready(ANNA, there.lab) as answerer:
                assert answerer.learned is not None
                assert answerer.learned.usage.by_role["critic"].llm_calls == 1
                answered = await answerer.answer(ANNA.questions[0])
            assert answered.text == "- Loves sci-fi."
            assert list(answered.usage.by_role) == ["actor"], "the summary is not paid here again"


async def test_icl_shows_others_and_never_the_user(tmp_path: Path) -> None:
    same = films("twin", ("the knight of a dark castle in space", "spoilt"), about="x")
    examples = {TASK: draw_examples([*OTHERS, same, ANNA], seed=1)}
    assert "anna" in {each.user_id for each in examples[TASK]}
    async with bench(tmp_path, reader, examples=examples, top_k=20) as there:
        answered = await there.answer("icl", ANNA)
        assert sorted(str(answered.text).split(", ")) == sorted(f"tag{n}" for n in range(9))
        assert answered.recalled == []
        assert [message["role"] for message in answered.told] == ["system", "user"]
    async with bench(tmp_path, reader, examples=examples, top_k=3, seed=0) as there:
        first = (await there.answer("icl", ANNA)).text
        assert first == (await there.answer("icl", ANNA)).text
    found = set()
    for seed in range(5):
        async with bench(tmp_path, reader, examples=examples, top_k=3, seed=seed) as there:
            found.add((await there.answer("icl", ANNA)).text)
    assert len(found) > 1, "the seed decides"
    async with bench(tmp_path, reader) as there:
        with pytest.raises(ConfigurationError, match="draw_examples"):
            await there.answer("icl", ANNA)


def test_examples_are_a_draw_of_bounded_size() -> None:
    cases = [films(f"u{n}", ("a", f"{n}"), ("b", f"{n}"), about="x") for n in range(200)]
    drawn = draw_examples(iter(cases), 0, most=20)
    assert len({each.user_id for each in drawn}) == len(drawn) == 20
    assert {each.query for each in drawn} == {f"{ASK}a?", f"{ASK}b?"}
    assert any(int(each.ground_truth or 0) >= 100 for each in drawn), "late ones have their chance"
    assert drawn == draw_examples(iter(cases), 0, most=20) != draw_examples(cases, 1, most=20)
    unlabelled = Episode(user_id="b", query="hello", response="hi")
    mixed = Sample(
        id="c", task=TASK, user_id="c", history=[unlabelled, *cases[0].history], questions=[]
    )
    assert [each.labelled for seed in range(9) for each in draw_examples([mixed], seed)] == [
        True
    ] * 9


async def test_the_reminder_stands_after_the_latest_of_the_conversation(tmp_path: Path) -> None:
    def last_wanted(prompt: Prompt) -> Reply:
        roles = [message.type for message in prompt.messages]
        assert roles == ["system", *["human", "ai"] * (len(roles) // 2 - 1), "human"]
        assert prompt.last.startswith(ANNA.questions[0].query)
        assert prompt.last.endswith("consistent with my preference.")
        return " ".join(m.text for m in prompt.messages if m.type == "ai")

    async with bench(tmp_path, last_wanted) as there:
        answered = await there.answer("reminder", ANNA)
        assert answered.text == "classic sci-fi sci-fi comedy"
        assert answered.recalled == ["film3", "film2", "film1", "film0"]
    long = films("ben", *[(f"{n} {'very ' * 90}", f"tag{n}") for n in range(20)], about="x")
    async with bench(tmp_path, lambda prompt: "ok", prompt_tokens=500) as there:
        answered = await there.answer("reminder", long)
        assert answered.recalled == ["film19", "film18", "film17", "film16"]
        assert 300 < sum(estimate_tokens(each["content"]) for each in answered.told[:-1]) <= 500


@pytest.mark.parametrize("method", ["recency", "rag", "pag", "membank", "icl"])
async def test_the_budget_holds_for_all(tmp_path: Path, method: str) -> None:
    long = films("ben", *[(f"{n} {'very ' * 90}", f"tag{n}") for n in range(20)], about="x")
    examples = {
        TASK: draw_examples(
            [films(f"u{n}", (f"{n} {'so ' * 200}", "t"), about="x") for n in range(9)], 0
        )
    }
    async with bench(tmp_path, reader, prompt_tokens=600, examples=examples) as there:
        answered = await there.answer(method, long)
    assert estimate_tokens(answered.told[0]["content"]) <= 600
    shown = answered.told[0]["content"].count("<episode ")
    assert 1 <= shown < 8
    assert len(answered.recalled) == (0 if method == "icl" else shown)


async def test_react_looks_into_the_past_by_its_tool_alone(tmp_path: Path) -> None:
    def look(prompt: Prompt) -> Reply:
        assert "<persona>" not in prompt.system
        assert not wanted(prompt.system)
        if prompt.observations:
            return most_wanted(wanted(prompt.observations[0]))
        return [call("recall_episodes", query="dog", k=1)]

    async with bench(tmp_path, look) as there:
        answered = await there.answer("react", ANNA)
    assert (answered.text, answered.recalled) == ("comedy", [])
    assert [each["role"] for each in answered.told] == ["system", "user", "assistant", "tool"]
    assert answered.usage.by_role["actor"].llm_calls == 2


LIVED = Sample(
    id="walks",
    task="walks",
    user_id="anna",
    history=walks(14, [KILOMETRES], task="walks"),
    questions=[Query(id="q", query="Tell me about the zoo?", gold=GOLD)],
)


def algorithm_1(prompt: Prompt) -> Reply:
    """The actor, and the free-text evaluator and prompt engineer of the paper's algorithm."""
    if "meticulous" in prompt.last:
        return " ".join(rule for rule, said in PREFERENCES.items() if said in prompt.last)
    if "prompt engineer" in prompt.last:
        return "\n".join(f"- {rule}" for rule in PREFERENCES if rule in prompt.last)
    return act(prompt)


@pytest.mark.parametrize(
    ("method", "follows"),
    [
        ("persona", [KILOMETRES]),
        ("persona-paper", [KILOMETRES]),
        ("persona-no-memory", [KILOMETRES]),
        ("persona-no-action", [KILOMETRES]),
        ("persona-no-alignment", []),
        ("persona-no-persona", []),
    ],
)
async def test_the_agent_answers_by_what_it_learned_from_the_case(
    tmp_path: Path, method: str, follows: list[str]
) -> None:
    scripted = Scripted(actor=algorithm_1)
    async with bench(tmp_path, scripted, align_rounds=1) as there:
        async with SOLVERS[method].ready(LIVED, there.lab) as answerer:
            answered = await answerer.answer(LIVED.questions[0])
            again = await answerer.answer(LIVED.questions[0])
        assert answered.text == again.text == answer_to("Tell me about the zoo?", follows)
        learned = answerer.learned
        assert (learned is not None) == bool(follows)
        if learned is not None and learned.alignment is not None:
            assert learned.alignment["to_version"] == answered.persona_version == 2
            assert KILOMETRES not in learned.before
            assert f"- {KILOMETRES}" in learned.after.splitlines()
            calls = sum(each.llm_calls for each in learned.usage.by_role.values())
            assert calls == len(there.prompts) - 2 == learned.alignment["usage"]["llm_calls"]


@pytest.mark.parametrize(
    ("method", "tools", "knows"),
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
async def test_the_parts_of_each_agent(tmp_path: Path, method: str, tools: str, knows: str) -> None:
    async with bench(tmp_path, Scripted(actor=lambda prompt: "sci-fi")) as there:
        await there.answer(method, ANNA)
        [*_, last] = there.prompts
    offered = sorted(each["function"]["name"] for each in last.tools)
    signs = {"facts": "the user chose", "memories": "<episode ", "rules": "<persona>\n- "}
    assert offered == tools.split()
    assert [name for name, sign in signs.items() if sign in last.system] == knows.split()


async def test_a_summary_that_is_due_is_written_first(tmp_path: Path) -> None:
    for every, said in ((4, "- Loves sci-fi."), (5, "(none)"), (0, "(none)")):
        async with bench(tmp_path, by_summary, summary_every=every) as there:
            async with SOLVERS["persona-no-alignment"].ready(ANNA, there.lab) as answerer:
                assert (await answerer.answer(ANNA.questions[0])).text == said
            assert (answerer.learned is not None) == (every == 4)


@pytest.mark.parametrize("method", SOLVERS)
async def test_the_gold_is_never_told(tmp_path: Path, method: str) -> None:
    examples = {TASK: draw_examples([*OTHERS, ANNA], 0)}
    for case in (ANNA, ANNA.model_copy(update={"history": []})):
        async with bench(
            tmp_path, Scripted(actor=reader, critique=reader), examples=examples
        ) as there:
            answered = await there.answer(method, case)
            assert bool(there.prompts) == SOLVERS[method].asks
        assert GOLD not in repr(there.prompts)
        assert GOLD not in str(answered)
        assert answered.text is not None


@pytest.mark.parametrize("method", ["rag", "similar", "persona-no-alignment", "membank"])
async def test_cases_of_one_user_do_not_see_each_other(tmp_path: Path, method: str) -> None:
    cases = [
        films("anna", ("a knight", f"tag{n}"), about="a knight", case=f"case{n}") for n in range(3)
    ]
    async with bench(tmp_path, reader) as there, AsyncExitStack() as stack:
        side_by_side = [
            await stack.enter_async_context(SOLVERS[method].ready(case, there.lab))
            for case in cases
        ]
        answers = [await each.answer(cases[0].questions[0]) for each in side_by_side]
        assert [each.text for each in answers] == ["tag0", "tag1", "tag2"]


async def test_nothing_that_was_asked_is_remembered(tmp_path: Path) -> None:
    async with bench(tmp_path, reader) as there:
        for name, method in SOLVERS.items():
            if name == "icl":
                continue
            async with method.ready(ANNA, there.lab) as answerer:
                first = await answerer.answer(ANNA.questions[0])
                other = Query(id="o", query=f"{ASK}the knight of a very dark castle?")
                await answerer.answer(other)
                assert await answerer.answer(ANNA.questions[0]) == first, name


@pytest.mark.parametrize("method", [name for name, each in SOLVERS.items() if each.recalls])
async def test_recall_alone_asks_no_model(tmp_path: Path, method: str) -> None:
    def fail(prompt: Prompt) -> Reply:
        raise AssertionError("no model is needed")

    recalls: Any = SOLVERS[method].recalls
    async with bench(tmp_path, fail, top_k=1) as there:
        async with recalls(ANNA, there.lab) as answerer:
            answered = await answerer.answer(ANNA.questions[0])
        assert answered.text is None
        first = "film3" if method == "recency" else "film0"
        if method != "membank":
            assert len(answered.recalled) == 4, "the metric cuts at its own k"
            assert answered.recalled[0] == first


def test_which_methods_there_are() -> None:
    assert {name for name, each in SOLVERS.items() if each.recalls} == {
        "recency",
        "rag",
        "pag",
        "membank",
    }
    assert {name for name, each in SOLVERS.items() if not each.asks} == {"majority", "similar"}
    assert all(not name.startswith("persona") for name in BASELINES)
    assert {name for name, method in SOLVERS.items()} == {each.name for each in SOLVERS.values()}


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
    case = films("anna", *history, about="the blue sky")
    asked = case.questions[0].model_copy(update={"options": options})
    case = case.model_copy(update={"questions": [asked]})
    async with bench(tmp_path, reader, top_k=0) as there:
        assert (await there.answer("majority", case)).text == majority
        assert (await there.answer("similar", case)).text == similar


async def test_what_breaks_off_is_asked_once_more(tmp_path: Path) -> None:
    failures: list[Exception] = [ModelUnavailable("It broke off.", retried=False)]
    async with bench(tmp_path, lambda prompt: failures.pop() if failures else "ok") as there:
        assert (await there.answer("rag", ANNA)).text == "ok"
        failures += [ModelUnavailable("Down.")]
        with pytest.raises(ModelUnavailable):
            await there.answer("rag", ANNA)
        assert len(there.prompts) == 3, "what was retried already is not retried again"
