"""PrefEval on invented data in the published layout, its judge a script that reads its prompt."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from personaagent.core.errors import DataError, UnusableAnswer, UsageError
from personaagent.eval.samples import Query, Sample
from personaagent.eval.tasks.option_answers import option_text
from personaagent.eval.tasks.prefeval import PrefEvalChoice, PrefEvalText
from personaagent.eval.tasks.prefeval_judge import ERRORS
from tests.support.eval_data import only_query, options_on, prefeval, score_text, scripted
from tests.support.scripted_model import Prompt

CHOICE, TEXT = PrefEvalChoice(turns=2), PrefEvalText(turns=2)
NUTS = "I avoid nuts."


def samples(data: Path, task: PrefEvalChoice | PrefEvalText, seed: int = 0) -> dict[str, Sample]:
    return {sample.id: sample for sample in task.samples(prefeval(data), seed)}


def test_a_user_tells_a_preference_in_three_forms(tmp_path: Path) -> None:
    found = samples(tmp_path, TEXT)
    forms = "explicit", "choice-based", "persona-driven"
    users = "food-0", "food-1", "travel-0"
    assert [*found] == [f"{user}-{form}" for user in users for form in forms]
    assert {sample.user_id for sample in found.values()} == set(users)
    told = {name: [(e.query, e.response) for e in sample.history] for name, sample in found.items()}
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
    for sample in found.values():
        moments = [e.created_at for e in sample.history]
        assert moments == sorted(set(moments))
        assert not any(e.labelled for e in sample.history)
        assert only_query(sample).details["form"] in sample.id


def test_turns_before_the_question(tmp_path: Path) -> None:
    counts = {
        turns: len(next(replace(CHOICE, turns=turns).samples(prefeval(tmp_path), 0)).history)
        for turns in (0, 1, 3)
    }
    assert counts == {0: 1, 1: 2, 3: 4}
    with pytest.raises(UsageError, match="3 turns, fewer than 4"):
        next(replace(CHOICE, turns=4).samples(tmp_path, 0))


def test_options_are_shuffled_by_the_seed_and_swapped(tmp_path: Path) -> None:
    data = prefeval(tmp_path)
    places = set()
    for seed in range(12):
        query = only_query(next(CHOICE.samples(data, seed)))
        assert query == only_query(next(CHOICE.samples(data, seed)))
        assert sorted(query.options) == sorted(options_on("nuts"))
        assert query.gold == "Nothing of it."
        assert query.swapped is not None
        for each in (query, query.swapped):
            shown = [line[3:] for line in each.text.splitlines() if re.match(r"[A-D]\. ", line)]
            assert shown == each.options
            assert each.text.startswith("What is there but nuts?")
        assert query.swapped.options == query.options[::-1]
        places.add(query.options.index(query.gold))
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
    query = Query(id="q", text="?", options=["Beans", "A fine soup", "Rye", "Dates"])
    assert CHOICE.read(query, text) == read
    assert option_text(CHOICE, query, read) == read


async def test_a_choice_is_right_or_wrong(tmp_path: Path) -> None:
    sample = samples(tmp_path, CHOICE)["food-0-explicit"]
    mark = "ABCD"[only_query(sample).options.index("Nothing of it.")]
    found = await score_text(CHOICE, sample, f"<choice>{mark}</choice>")
    assert (found.read, found.scores) == ("Nothing of it.", {"correct": 1})
    assert (await score_text(CHOICE, sample, "Much nuts")).scores == {"correct": 0}
    assert (await score_text(CHOICE, sample, None)).read is None


def reads_its_prompt(prompt: Prompt) -> str:
    """Finds in the answer what the rubric asks for."""
    fields = dict(re.findall(r"<(preference|query|answer)>\n(.*)\n</\1>", prompt.last, re.DOTALL))
    assert fields["query"] == "What is there but nuts?"
    avoided = fields["preference"].split()[-1].rstrip(".")
    restated = re.search(r"[^.]*you avoid (\w+)", fields["answer"])
    return json.dumps(
        {
            "restated": restated[0] if restated else "",
            "differs": bool(restated and restated[1] != avoided),
            "violates": f"Eat {avoided}" in fields["answer"],
            "helpful": "Eat" in fields["answer"],
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
    sample = samples(tmp_path, TEXT)["food-0-persona-driven"]
    found = await score_text(TEXT, sample, text, scripted(reads_its_prompt))
    assert found.scores["follows"] == (error is None)
    assert {name for name in ERRORS if found.scores[name]} == ({error} if error else set())
    assert found.usage.by_role["critic"].llm_calls == 1


async def test_what_is_of_the_person(tmp_path: Path) -> None:
    sample = samples(tmp_path, TEXT)["food-0-explicit"]
    found = await score_text(TEXT, sample, "Eat nuts, avoid rice.", scripted(reads_its_prompt))
    assert found.scores["persona_f1"] == pytest.approx(2 * 2 / (4 + 2))
    assert found.scores["faithfulness"] == 2 / 4


async def test_no_answer_is_unhelpful_and_a_judge_out_of_form_fails(tmp_path: Path) -> None:
    sample = samples(tmp_path, TEXT)["food-0-explicit"]
    found = await score_text(TEXT, sample, " ")
    assert found.read is None
    assert {name: found.scores[name] for name in ("follows", *ERRORS)} == {
        "follows": 0, "unaware": 0, "hallucination": 0, "inconsistent": 0, "unhelpful": 1,
    }  # fmt: skip
    with pytest.raises(UnusableAnswer):
        await score_text(TEXT, sample, "Eat rice.", scripted(lambda prompt: "It is fine."))


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="amazon-science/PrefEval"):
        next(CHOICE.samples(tmp_path, 0))
    data = prefeval(tmp_path)
    folder = data / "prefeval" / "benchmark_dataset"
    (folder / "explicit_preference" / "food.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match=r"explicit_preference/food\.json"):
        next(CHOICE.samples(data, 0))
