"""The table of a run, worked by hand on a few answers."""

import random
from pathlib import Path

import pytest

from personaagent.core.errors import DataError
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.prices import Prices
from personaagent.eval.summary import TaskSummary, summarise_run
from tests.support.eval_runs import (
    PRICES,
    PUBLISHED,
    RESULTS,
    UNPUBLISHED,
    result,
    training_result,
    write,
)
from tests.support.evaluation import Riddles

TASK = Riddles(metrics=(Mean("accuracy", "correct"), Mean("error", "error", higher=False)))


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


def test_a_folder_that_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no run"):
        summarise_run(tmp_path, {}, PRICES)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(DataError, match="no record of a run of this version"):
        summarise_run(tmp_path, {}, PRICES)
