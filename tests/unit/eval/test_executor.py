"""The executor: nothing twice, nothing lost, limited concurrency, and failures are never scores."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.core.errors import ConfigurationError, DataError, ModelUnavailable, UsageError
from personaagent.core.records import Episode, Record
from personaagent.core.settings import load_settings
from personaagent.eval.jsonl import JsonLinesWriter, read_records
from personaagent.eval.query_draw import DrawnQuery, draw_queries
from personaagent.eval.result_index import IndexedResult
from personaagent.eval.results import RESULTS_FILE
from personaagent.eval.run_record import MadeWith, Session, read_run, record_session
from tests.support.evaluation import (
    Riddles,
    ScriptedSolver,
    made_with,
    plan_of,
    results_in,
    run_plan,
)


async def test_every_query_is_answered_once_with_limited_concurrency(tmp_path: Path) -> None:
    first, second = ScriptedSolver(name="first"), ScriptedSolver(name="second")
    plan = plan_of(Riddles(count=20, queries=3), first, second)
    progress = await run_plan(plan, tmp_path, concurrency=4)
    assert progress.done == progress.total == 120
    kept = results_in(tmp_path)
    assert len({each.key for each in kept}) == len(kept) == 120
    assert sorted(first.asked) == sorted(second.asked)
    assert len(set(first.asked)) == 60
    assert 1 < max(first.most_asking, second.most_asking) <= 4
    assert first.most_open + second.most_open <= 6 + 6


async def test_a_sample_is_made_when_its_turn_comes(tmp_path: Path) -> None:
    task, solver = Riddles(count=50, queries=1), ScriptedSolver()
    plan = plan_of(task, solver)
    task.made = 0
    ahead = []
    await run_plan(plan, tmp_path, concurrency=2, on_result=lambda result: ahead.append(task.made))
    assert all(made - done <= 3 + 1 for done, made in enumerate(ahead))


class Broken(BaseException):
    """Ends a run at once; no solver raises this."""


async def test_a_broken_run_continues_where_it_stopped(tmp_path: Path) -> None:
    def breaking(query: str) -> str:
        if len(solver.asked) == 5:
            raise Broken
        return "yes"

    task, solver = Riddles(count=6), ScriptedSolver(reply=breaking)
    with pytest.raises(Broken):
        await run_plan(plan_of(task, solver), tmp_path, concurrency=1)
    done = results_in(tmp_path)
    assert 0 < len(done) < 12
    with (tmp_path / RESULTS_FILE).open("ab") as file:
        file.write(b'{"task": "riddles", "cut')
    finished = {each.case for each in done if sum(e.case == each.case for e in done) == 2}

    after = ScriptedSolver()
    progress = await run_plan(plan_of(task, after), tmp_path)
    kept = results_in(tmp_path)
    assert kept[: len(done)] == done
    assert len({each.key for each in kept}) == len(kept) == progress.total == 12
    assert set(after.prepared).isdisjoint(finished)
    assert len(after.asked) == 12 - len(done)


async def test_a_failure_is_not_scored_and_is_run_again_on_demand(tmp_path: Path) -> None:
    def failing(query: str) -> str:
        if query == "riddle 1.0":
            raise ModelUnavailable("The endpoint was asleep.")
        if query == "riddle 1.1":
            raise KeyError("unforeseen")
        return "yes"

    task = Riddles()
    progress = await run_plan(plan_of(task, ScriptedSolver(reply=failing)), tmp_path)
    assert (progress.done, progress.failed) == (6, 2)
    failed = {each.question: each for each in results_in(tmp_path) if each.failed}
    assert failed["q0"].failed == "The endpoint was asleep."
    assert "KeyError" in (failed["q1"].failed or "")
    assert all((each.scores, each.text) == ({}, None) for each in failed.values())

    idle = ScriptedSolver()
    await run_plan(plan_of(task, idle), tmp_path)
    assert idle.prepared == []
    again = ScriptedSolver()
    progress = await run_plan(plan_of(task, again), tmp_path, retry_failed=True)
    assert sorted(again.asked) == ["riddle 1.0", "riddle 1.1"]
    assert (progress.done, progress.failed) == (6, 0)


async def test_a_sample_that_cannot_be_prepared_fails_with_all_its_queries(tmp_path: Path) -> None:
    class Unready(ScriptedSolver):
        def prepare(self, sample, environment):
            if sample.id == "c1":
                raise DataError("Its history is unreadable.")
            return super().prepare(sample, environment)

    await run_plan(plan_of(Riddles(), Unready()), tmp_path)
    failed = [each for each in results_in(tmp_path) if each.failed]
    assert [(each.case, each.question) for each in failed] == [("c1", "q0"), ("c1", "q1")]
    assert {each.failed for each in failed} == {"Its history is unreadable."}


async def test_a_wrong_setting_ends_the_run_and_keeps_finished_results(tmp_path: Path) -> None:
    def refused(query: str) -> str:
        if query == "riddle 2.0":
            raise ConfigurationError("The key is refused.")
        return "yes"

    solver = ScriptedSolver(reply=refused)
    with pytest.raises(ConfigurationError, match="The key is refused"):
        await run_plan(plan_of(Riddles(count=30), solver), tmp_path, concurrency=1)
    assert {each.case for each in results_in(tmp_path)} == {"c0", "c1"}
    assert solver.open == 0


@pytest.mark.parametrize(
    ("says", "agrees", "of_both"), [("yes", True, 1.0), ("?", False, 0.0), ("first", False, 0.5)]
)
async def test_options_are_asked_in_both_orders(
    says: str, agrees: bool, of_both: float, tmp_path: Path
) -> None:
    def answer(query: str) -> str:
        if says == "first":
            return "no" if query == "swapped" else "yes"
        return says

    await run_plan(plan_of(Riddles(with_options=True), ScriptedSolver(reply=answer)), tmp_path)
    for result in results_in(tmp_path):
        assert result.turned is not None
        assert result.turned.agrees is agrees
        assert result.scores == {"correct": float(says != "?"), "both_orders": of_both}


@pytest.mark.parametrize("applied", [True, False])
async def test_the_confidence_of_a_decision_is_kept(applied: bool, tmp_path: Path) -> None:
    decision = Decision(
        question=ClosedQuestion(kind="labels", answers=["yes", "no"]),
        answer="yes",
        probabilities={"yes": 0.75, "no": 0.25},
        sources=[],
        applied=applied,
    )
    await run_plan(plan_of(Riddles(), ScriptedSolver(decision=decision)), tmp_path)
    for result in results_in(tmp_path):
        assert result.decision == decision
        expected = 0.75 if applied else None
        assert result.confidence == IndexedResult.of(result).outcome.confidence == expected


@pytest.mark.parametrize(
    ("labels", "left"), [(None, "abcde"), (9, "abcde"), (2, "bcde"), (1, "de"), (0, "e")]
)
def test_a_history_can_begin_at_the_newest_labels(labels: int | None, left: str) -> None:
    history = [
        Episode(id=name, user_id="ann", query=name, response="", ground_truth=truth)
        for name, truth in zip("abcde", ("x", None, "y", "z", None), strict=True)
    ]
    plan = replace(plan_of(Riddles(history=history), ScriptedSolver()), labels=labels)
    [item, *_] = plan.work_items(())
    assert "".join(each.id for each in item.sample.history) == left


def test_the_seed_decides_the_draw_and_a_larger_draw_contains_a_smaller_one() -> None:
    samples = [*Riddles(count=40, queries=3).samples(Path(), 0)]
    few, many = draw_queries(samples, 5, None, 7), draw_queries(samples, 10, None, 7)
    assert len({each.user_id for each in few}) == 5
    assert len(few) == 15
    assert set(few) < set(many)
    assert draw_queries(samples, 5, None, 7) == few != draw_queries(samples, 5, None, 8)
    limited = draw_queries(samples, None, 12, 7)
    assert len(limited) == 12
    assert set(limited) < set(draw_queries(samples, None, 20, 7))
    assert draw_queries(samples, None, None, 7)[0] == DrawnQuery("user0", "c0", "q0")


def test_a_folder_holds_one_run_and_no_secret(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, openai_api_key="sk-secret", model="m", top_k=4)
    plan = plan_of(Riddles(), ScriptedSolver())
    options, drawn = made_with(plan).options, made_with(plan).drawn
    made = MadeWith.of(settings, options, drawn)
    record_session(tmp_path, made, Session.start(settings, 4, tmp_path))
    record_session(tmp_path, made, Session.start(settings, 8, tmp_path))
    record = read_run(tmp_path)
    assert [each.concurrency for each in record.sessions] == [4, 8]
    assert record.made_with.models["critic"] == "m"
    assert record.made_with.settings["top_k"] == 4
    assert "sk-secret" not in (tmp_path / "run.json").read_text()
    other = MadeWith.of(
        settings.model_copy(update={"top_k": 5}),
        options.model_copy(update={"seed": 1}),
        drawn,
    )
    with pytest.raises(UsageError, match=r"other seed, top_k: use the same again"):
        record_session(tmp_path, other, Session.start(settings, 4, tmp_path))


class Word(Record):
    text: str


def test_a_line_is_complete_or_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    long = "x" * 200_000
    path.write_text(f'{{"text":"one"}}\n{{"text":"{long}')
    lines = JsonLinesWriter(path)
    lines.append(Word(text="two\n2"))
    lines.close()
    assert [each.text for each in read_records(path, Word)] == ["one", "two\n2"]
    path.write_text('{"text":"cut')
    JsonLinesWriter(path).close()
    assert path.read_bytes() == b""
    path.write_text('{"word":"one"}\n')
    with pytest.raises(DataError, match="Line 1 of"):
        list(read_records(path, Word))
    with pytest.raises(DataError, match="cannot be written"):
        JsonLinesWriter(tmp_path / "missing" / "words.jsonl")


async def test_a_cancelled_run_releases_its_samples(tmp_path: Path) -> None:
    solver, begun = ScriptedSolver(), asyncio.Event()
    plan = plan_of(Riddles(count=500), solver)
    run = asyncio.ensure_future(run_plan(plan, tmp_path, on_result=lambda result: begun.set()))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert solver.open == 0
    assert len(results_in(tmp_path)) < 1000
