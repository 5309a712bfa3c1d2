"""The table of a run, worked by hand on a few answers."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.alignment import Alignment, Round
from personaagent.core.errors import DataError, UsageError
from personaagent.core.records import RoleUsage, Usage
from personaagent.eval.jsonl import JsonLinesWriter
from personaagent.eval.learning_stats import learning_stats, losses_of
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.prices import Prices, TokenPrice, load_prices
from personaagent.eval.query_draw import QueryDraw
from personaagent.eval.results import (
    RESULTS_FILE,
    TRAINING_FILE,
    Result,
    SwappedOptions,
    TrainingRecord,
)
from personaagent.eval.run_record import EvalOptions, MadeWith, RunRecord, Session
from personaagent.eval.samples import TrainingResult
from personaagent.eval.summary import TaskSummary, summarise_run
from tests.support.evaluation import Riddles

TASK = Riddles(metrics=(Mean("accuracy", "correct"), Mean("error", "error", higher=False)))
PRICES = Prices({"scripted": TokenPrice(input=2, output=10)})


def usage(role: str, calls: int, read: int, written: int) -> Usage:
    return Usage(
        by_role={role: RoleUsage(llm_calls=calls, input_tokens=read, output_tokens=written)}
    )


def result(method: str, place: str, correct: float | None, **more: Any) -> Result:
    """``ann 0``: Ann's first question; without ``correct`` it failed."""
    user, question = place.split()
    answered: dict[str, Any] = (
        {"failed": "The endpoint slept."}
        if correct is None
        else {
            "text": "yes",
            "read": "yes",
            "scores": {"correct": correct},
            "usage": usage("actor", 1, 100, 10),
            "seconds": 2.0,
        }
    )
    return Result(
        task="riddles",
        method=method,
        case=f"case of {user}",
        question=question,
        user_id=user,
        query="a riddle",
        gold="yes",
        **(answered | more),
    )


def swapped(agrees: bool) -> SwappedOptions:
    return SwappedOptions(text="no", read="no", agrees=agrees, usage=usage("actor", 1, 1000, 100))


RESULTS = [
    result("rag", "ann 0", 1, turned=swapped(True)),
    result("rag", "ann 1", 0, read=None, turned=swapped(False), seconds=5.0),
    result("rag", "bob 0", 1, judge=usage("judge", 1, 30, 3)),
    result("persona", "ann 0", 1),
    result("persona", "ann 1", 1, usage=usage("actor", 2, 400, 20)),
    result("persona", "bob 0", None),
    result("majority", "ann 0", 0, usage=Usage(), seconds=0.0),
    result("majority", "ann 1", 0, usage=Usage(), seconds=0.0),
    result("majority", "bob 0", 0, usage=Usage(), seconds=0.0),
]


def alignment(**fields: Any) -> Alignment:
    values = {
        "user_id": "ann",
        "mode": "gated",
        "rounds": [],
        "from_version": 1,
        "to_version": 1,
        "stopped_by": "rounds",
        "rules_before": [],
        "rules_after": [],
        "usage": {},
        "seconds": 1.0,
    }
    return Alignment.model_validate(values | fields)


def pair(part: str, before: float | None, after: float | None) -> dict[str, Any]:
    return {"episode": "e", "part": part, "before": before, "after": after}


PUBLISHED = alignment(
    to_version=2,
    pairs=[pair("batch", 1, 0), pair("holdout", 1, 0), pair("holdout", 0.5, 0.5)],
)
"""Held out, the loss was 0.75 and is 0.25."""
UNPUBLISHED = alignment(
    rounds=[Round(losses_before={"a": 1.0}, holdout_before={"b": 0.25, "c": None})]
)
"""Nothing was published: the loss stays at 0.25."""


def training_result(run: Alignment | None, tokens: int) -> TrainingResult:
    return TrainingResult(
        usage=usage("critic", 4, tokens, 0),
        seconds=10.0,
        alignment=run.stored() if run else None,
    )


def write(
    folder: Path, results: Sequence[Result], trainings: Sequence[TrainingResult] = ()
) -> Path:
    """A run of three methods on the riddles, with these results and training results."""
    folder.mkdir(parents=True, exist_ok=True)
    made = MadeWith(
        options=EvalOptions(tasks=["riddles"], methods=["rag", "majority", "persona"]),
        drawn={"riddles": QueryDraw(users=2, cases=2, questions=3, sha256="")},
        models=dict.fromkeys(("actor", "critic", "editor"), "scripted"),
        prompts={},
        settings={},
    )
    session = Session(commit=None, versions={}, concurrency=1, endpoint="here", data="there")
    record = RunRecord(made_with=made, sessions=[session])
    (folder / "run.json").write_text(record.model_dump_json())
    result_lines, training_lines = (
        JsonLinesWriter(folder / RESULTS_FILE),
        JsonLinesWriter(folder / TRAINING_FILE),
    )
    for result in results:
        result_lines.append(result)
    for number, training in enumerate(trainings):
        training_lines.append(
            TrainingRecord(
                task="riddles", method="persona", case=f"c{number}", user_id="u", learned=training
            )
        )
    result_lines.close()
    training_lines.close()
    return folder


def table(folder: Path, against: str | None = None) -> TaskSummary:
    return summarise_run(folder, {"riddles": TASK}, PRICES, against).tasks["riddles"]


def test_a_small_table_by_hand(tmp_path: Path) -> None:
    task = table(
        write(
            tmp_path, RESULTS, [training_result(PUBLISHED, 900), training_result(UNPUBLISHED, 100)]
        )
    )
    assert (task.users, task.questions, task.rival) == (2, 3, "rag")
    assert [column.name for column in task.metrics] == ["accuracy", "error"]
    rag, persona, majority = (task.methods[name] for name in ("rag", "persona", "majority"))

    assert (rag.answered, rag.failed) == (3, 0)
    assert list(rag.metrics) == ["accuracy"], "no answer has an error"
    accuracy = rag.metrics["accuracy"]
    assert accuracy.mean == pytest.approx(2 / 3)
    assert (accuracy.low, accuracy.high) == (0.5, 1.0), "Ann alone, and Bob alone"
    assert rag.unparsable == pytest.approx(1 / 3)
    assert rag.agreement == 0.5
    assert rag.seconds == 3.0
    assert rag.usage["llm_calls"] == 1
    assert rag.usage["by_role"]["actor"] == {
        "llm_calls": 1,
        "input_tokens": 100,
        "output_tokens": 10,
    }
    assert rag.price == pytest.approx((100 * 2 + 10 * 10) / 1e6), "swapped options are not in it"
    assert rag.judge["input_tokens"] == 10
    assert rag.learning is None

    assert (persona.answered, persona.failed) == (2, 1)
    assert persona.metrics["accuracy"].mean == 1.0, "what failed is no wrong answer"
    assert persona.agreement is None
    assert persona.usage["llm_calls"] == 1.5
    against = persona.against["rag"]
    assert against.questions == 2, "Bob's failed in one of them"
    assert against.metrics["accuracy"].stored() == {"mean": 0.5, "low": 0.5, "high": 0.5, "p": 1.0}
    assert set(persona.against) == {"rag", "majority"}
    assert set(majority.against) == {"rag"}
    assert majority.price == 0

    assert persona.learning is not None
    assert persona.learning.stored() == {
        "cases": 2,
        "alignments": 2,
        "accepted": 0.5,
        "loss_before": 0.5,
        "loss_after": 0.25,
        "points": 25.0,
        "tokens": 500.0,
        "llm_calls": 4.0,
        "seconds": 10.0,
        "tokens_per_point": 20.0,
    }


def test_the_whole_price_has_all_that_was_spent(tmp_path: Path) -> None:
    write(tmp_path, RESULTS, [training_result(PUBLISHED, 900), training_result(None, 100)])
    summary = summarise_run(tmp_path, {"riddles": TASK}, PRICES)
    read = 3 * 100 + 2 * 1000 + 30 + 100 + 400 + 900 + 100
    written = 3 * 10 + 2 * 100 + 3 + 10 + 20
    assert summary.price == pytest.approx((read * 2 + written * 10) / 1e6)
    assert (summary.done, summary.total, summary.complete) == (9, 9, True)
    assert summarise_run(tmp_path, {"riddles": TASK}, Prices({})).price is None


def test_an_unfinished_run_and_a_later_result_in_place_of_a_failed_one(tmp_path: Path) -> None:
    write(tmp_path, [*RESULTS[3:6], result("persona", "bob 0", 0)])
    summary = summarise_run(tmp_path, {"riddles": TASK}, PRICES)
    assert (summary.done, summary.total, summary.complete) == (3, 9, False)
    [(name, persona)] = summary.tasks["riddles"].methods.items()
    assert (name, persona.failed, persona.metrics["accuracy"].mean) == (
        "persona",
        0,
        pytest.approx(2 / 3),
    )
    assert summary.tasks["riddles"].rival is None


def test_the_rival_that_was_asked_for(tmp_path: Path) -> None:
    task = table(write(tmp_path, RESULTS), against="persona")
    assert task.rival == "persona"
    assert task.methods["rag"].against["persona"].metrics["accuracy"].mean == -0.5


def test_the_order_in_which_it_was_done_changes_nothing(tmp_path: Path) -> None:
    chance = random.Random(0)
    results = [
        result(method, f"user{n} {question}", chance.random())
        for method in ("rag", "majority", "persona")
        for n in range(12)
        for question in range(2)
    ]
    first = table(write(tmp_path / "first", results))
    chance.shuffle(results)
    again = table(write(tmp_path / "again", results))
    assert again.stored() == first.stored()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (PUBLISHED, (0.75, 0.25)),
        (UNPUBLISHED, (0.25, 0.25)),
        (alignment(to_version=2, pairs=[pair("batch", 1, 0.5)]), (1.0, 0.5)),
        (alignment(to_version=2, pairs=[pair("holdout", 1, None)]), None),
        (alignment(rounds=[Round(losses_before={"a": 0.5, "b": 1.0})]), (0.75, 0.75)),
        (alignment(stopped_by="no loss"), (0.0, 0.0)),
        (alignment(stopped_by="labels"), None),
        (alignment(mode="paper", to_version=2), None),
    ],
    ids=[
        "published",
        "result_lines",
        "nothing held out",
        "unscored",
        "batch",
        "no loss",
        "few",
        "paper",
    ],
)
def test_losses_of_a_run(run: Alignment, expected: tuple[float, float] | None) -> None:
    assert losses_of(run) == expected


def test_what_gained_nothing_has_no_price_a_point() -> None:
    found = learning_stats([training_result(UNPUBLISHED, 500)])
    assert (found.points, found.tokens_per_point, found.accepted) == (0.0, None, 0.0)
    summarised = learning_stats([training_result(None, 500)])
    assert (summarised.alignments, summarised.accepted, summarised.points) == (0, None, None)


def test_prices_of_a_file_stand_over_those_that_come_with_it(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('["scripted"]\ninput = 1.5\noutput = 3\n\n["gpt-4o"]\ninput = 0\noutput = 1')
    prices = load_prices(file)
    spent = usage("actor", 1, 1_000_000, 2_000_000)
    models = {"actor": "scripted", "critic": "gpt-4o", "editor": "unheard-of"}
    assert prices.of(spent, models) == 7.5
    assert prices.of(usage("judge", 1, 10, 1_000_000), models) == 1.0, "the critic's model judges"
    assert prices.of(usage("editor", 1, 1, 1), models) is None
    assert prices.of(Usage(), models) == 0
    assert (
        load_prices(file, TokenPrice(input=4, output=0)).of(usage("editor", 1, 10**6, 1), models)
        == 4
    )
    shipped = load_prices().of(spent, {"actor": "gpt-4o", "critic": ""})
    assert shipped == 2.5 + 2 * 10
    assert load_prices().of(spent, {"actor": "qwen2.5-coder-1.5b", "critic": ""}) == 0
    for text in ("[", '["m"]\ninput = -1\noutput = 0', '["m"]\ninput = 1'):
        file.write_text(text)
        with pytest.raises(UsageError, match="is no table of prices"):
            load_prices(file)
    with pytest.raises(UsageError, match="is no table of prices"):
        load_prices(tmp_path / "missing.toml")


def test_a_folder_that_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no run"):
        summarise_run(tmp_path, {}, PRICES)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(DataError, match="no record of a run of this version"):
        summarise_run(tmp_path, {}, PRICES)
