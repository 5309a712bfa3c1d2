"""PrefEval on invented data in the published layout, its judge a script that reads its prompt."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from personaagent.core.errors import DataError, UnusableAnswer, UsageError
from personaagent.eval.samples import Query, Sample
from personaagent.eval.tasks.options import meant
from personaagent.eval.tasks.prefeval import PrefEvalChoice, PrefEvalText
from personaagent.eval.tasks.prefeval_judge import ERRORS
from tests.support.eval_data import only, options_on, prefeval, scored, scripted
from tests.support.scripted_model import Prompt

CHOICE, TEXT = PrefEvalChoice(turns=2), PrefEvalText(turns=2)
NUTS = "I avoid nuts."


def cases(data: Path, task: PrefEvalChoice | PrefEvalText, seed: int = 0) -> dict[str, Sample]:
    return {case.id: case for case in task.cases(prefeval(data), seed)}


def test_a_user_tells_a_preference_in_three_forms(tmp_path: Path) -> None:
    found = cases(tmp_path, TEXT)
    forms = "explicit", "choice-based", "persona-driven"
    users = "food-0", "food-1", "travel-0"
    assert [*found] == [f"{user}-{form}" for user in users for form in forms]
    assert {case.user_id for case in found.values()} == set(users)
    told = {name: [(e.query, e.response) for e in case.history] for name, case in found.items()}
    others = [("user 0", "assistant 0"), ("user 1", "assistant 1")]
    assert told["food-0-explicit"] == [(NUTS, "Understood."), *others]
    assert told["food-0-choice-based"] == [
        ("What shall I take?", "Take nuts, or none."),
        ("None, for nuts is not for me.", "None, then."),
        *others,
    ]
    assert told["food-0-persona-driven"] == [
        ("I am a nurse.", "Good."),
        ("At work I avoid nuts.", "I see."),
        *others,
    ]
    for case in found.values():
        moments = [e.created_at for e in case.history]
        assert moments == sorted(set(moments))
        assert not any(e.labelled for e in case.history)
        assert only(case).details["form"] in case.id


def test_turns_before_the_question(tmp_path: Path) -> None:
    counts = {
        turns: len(next(replace(CHOICE, turns=turns).cases(prefeval(tmp_path), 0)).history)
        for turns in (0, 1, 3)
    }
    assert counts == {0: 1, 1: 2, 3: 4}
    with pytest.raises(UsageError, match="3 turns, fewer than 4"):
        next(replace(CHOICE, turns=4).cases(tmp_path, 0))


def test_options_are_shuffled_by_the_seed_and_turned(tmp_path: Path) -> None:
    data = prefeval(tmp_path)
    places = set()
    for seed in range(12):
        question = only(next(CHOICE.cases(data, seed)))
        assert question == only(next(CHOICE.cases(data, seed)))
        assert sorted(question.options) == sorted(options_on("nuts"))
        assert question.gold == "Nothing of it."
        assert question.turned is not None
        for each in (question, question.turned):
            shown = [line[3:] for line in each.query.splitlines() if re.match(r"[A-D]\. ", line)]
            assert shown == each.options
            assert each.query.startswith("What is there but nuts?")
        assert question.turned.options == question.options[::-1]
        places.add(question.options.index(question.gold))
    assert places == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<choice>B</choice>", "A fine soup"),
        ("B", "A fine soup"),
        ("(b)", None),
        ("C) the rye, as you like it", "Rye"),
        ("My answer is D.", "Dates"),
        ("A fine soup it is.", "A fine soup"),
        ("A good question!", None),
        ("<choice>B</choice> or <choice>C</choice>", None),
        ("", None),
    ],
)
def test_how_a_choice_is_read(text: str, read: str | None) -> None:
    question = Query(id="q", query="?", options=["Beans", "A fine soup", "Rye", "Dates"])
    assert CHOICE.read(question, text) == read
    assert meant(CHOICE, question, read) == read


async def test_a_choice_is_right_or_wrong(tmp_path: Path) -> None:
    case = cases(tmp_path, CHOICE)["food-0-explicit"]
    mark = "ABCD"[only(case).options.index("Nothing of it.")]
    found = await scored(CHOICE, case, f"<choice>{mark}</choice>")
    assert (found.read, found.scores) == ("Nothing of it.", {"correct": 1})
    assert (await scored(CHOICE, case, "Much nuts")).scores == {"correct": 0}
    assert (await scored(CHOICE, case, None)).read is None


def reads_its_prompt(prompt: Prompt) -> str:
    """Finds in the answer what the rubric asks for."""
    deps = dict(re.findall(r"<(preference|query|answer)>\n(.*)\n</\1>", prompt.last, re.DOTALL))
    assert deps["query"] == "What is there but nuts?"
    avoided = deps["preference"].split()[-1].rstrip(".")
    restated = re.search(r"[^.]*you avoid (\w+)", deps["answer"])
    return json.dumps(
        {
            "restated": restated[0] if restated else "",
            "differs": bool(restated and restated[1] != avoided),
            "violates": f"Eat {avoided}" in deps["answer"],
            "helpful": "Eat" in deps["answer"],
        }
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Eat rice.", None),
        ("As you avoid nuts: Eat rice.", None),
        ("As you avoid milk: Eat rice.", None),
        ("Eat nuts.", "unaware"),
        ("As you avoid milk: Eat nuts.", "hallucination"),
        ("As you avoid nuts: Eat nuts.", "inconsistent"),
        ("I cannot remember that you avoid nuts.", "unhelpful"),
    ],
)
async def test_the_four_errors(tmp_path: Path, text: str, error: str | None) -> None:
    case = cases(tmp_path, TEXT)["food-0-persona-driven"]
    found = await scored(TEXT, case, text, scripted(reads_its_prompt))
    assert found.scores["follows"] == (error is None)
    assert {name for name in ERRORS if found.scores[name]} == ({error} if error else set())
    assert found.usage.by_role["critic"].llm_calls == 1


async def test_what_is_of_the_person(tmp_path: Path) -> None:
    case = cases(tmp_path, TEXT)["food-0-explicit"]
    found = await scored(TEXT, case, "Eat nuts, avoid rice.", scripted(reads_its_prompt))
    assert found.scores["persona_f1"] == pytest.approx(2 * 2 / (4 + 2))
    assert found.scores["faithfulness"] == 2 / 4


async def test_no_answer_is_unhelpful_and_a_judge_out_of_form_fails(tmp_path: Path) -> None:
    case = cases(tmp_path, TEXT)["food-0-explicit"]
    found = await scored(TEXT, case, " ")
    assert found.read is None
    assert {name: found.scores[name] for name in ("follows", *ERRORS)} == {
        "follows": 0, "unaware": 0, "hallucination": 0, "inconsistent": 0, "unhelpful": 1,
    }  # fmt: skip
    with pytest.raises(UnusableAnswer):
        await scored(TEXT, case, "Eat rice.", scripted(lambda prompt: "It is fine."))


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="amazon-science/PrefEval"):
        next(CHOICE.cases(tmp_path, 0))
    data = prefeval(tmp_path)
    folder = data / "prefeval" / "benchmark_dataset"
    (folder / "explicit_preference" / "food.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match=r"explicit_preference/food\.json"):
        next(CHOICE.cases(data, 0))
