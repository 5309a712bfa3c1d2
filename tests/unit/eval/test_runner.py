"""The runner: nothing twice, nothing lost, so many at once, and failures that are never scores."""

import asyncio
from pathlib import Path

import pytest

from personaagent.core.errors import ConfigurationError, DataError, ModelUnavailable, UsageError
from personaagent.core.records import Record
from personaagent.core.settings import load_settings
from personaagent.eval.jsonl import Lines, read_lines
from personaagent.eval.results import SAMPLES
from personaagent.eval.run_record import begin, made_with, read_run, session
from personaagent.eval.sampling import Asked, draw
from tests.support.evaluation import Riddles, Scripted, made_of, plan_of, run_plan, samples_in


async def test_every_question_is_asked_once_with_so_many_at_a_time(tmp_path: Path) -> None:
    first, second = Scripted(name="first"), Scripted(name="second")
    plan = plan_of(Riddles(cases_=20, questions=3), first, second)
    progress = await run_plan(plan, tmp_path, concurrency=4)
    assert progress.done == progress.total == 120
    kept = samples_in(tmp_path)
    assert len({each.key for each in kept}) == len(kept) == 120
    assert sorted(first.asked) == sorted(second.asked)
    assert len(set(first.asked)) == 60
    assert 1 < max(first.most_asking, second.most_asking) <= 4
    assert first.most_open + second.most_open <= 6 + 6


async def test_a_case_is_made_when_its_turn_comes(tmp_path: Path) -> None:
    task, method = Riddles(cases_=50, questions=1), Scripted()
    plan = plan_of(task, method)
    task.made = 0
    ahead = []
    await run_plan(plan, tmp_path, concurrency=2, on_done=lambda s: ahead.append(task.made))
    assert all(made - done <= 3 + 1 for done, made in enumerate(ahead))


class Broken(BaseException):
    """Ends a run on the spot, as nothing that a sample raises does."""


async def test_it_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    def breaking(query: str) -> str:
        if len(method.asked) == 5:
            raise Broken
        return "yes"

    task, method = Riddles(cases_=6), Scripted(says=breaking)
    with pytest.raises(Broken):
        await run_plan(plan_of(task, method), tmp_path, concurrency=1)
    done = samples_in(tmp_path)
    assert 0 < len(done) < 12
    with (tmp_path / SAMPLES).open("ab") as file:
        file.write(b'{"task": "riddles", "cut')
    finished = {each.case for each in done if sum(e.case == each.case for e in done) == 2}

    after = Scripted()
    progress = await run_plan(plan_of(task, after), tmp_path)
    kept = samples_in(tmp_path)
    assert kept[: len(done)] == done
    assert len({each.key for each in kept}) == len(kept) == progress.total == 12
    assert set(after.prepared).isdisjoint(finished)
    assert len(after.asked) == 12 - len(done)


async def test_what_failed_is_no_score_and_is_run_again_on_demand(tmp_path: Path) -> None:
    def failing(query: str) -> str:
        if query == "riddle 1.0":
            raise ModelUnavailable("The endpoint was asleep.")
        if query == "riddle 1.1":
            raise KeyError("unforeseen")
        return "yes"

    task = Riddles()
    progress = await run_plan(plan_of(task, Scripted(says=failing)), tmp_path)
    assert (progress.done, progress.failed) == (6, 2)
    failed = {each.question: each for each in samples_in(tmp_path) if each.failed}
    assert failed["q0"].failed == "The endpoint was asleep."
    assert "KeyError" in (failed["q1"].failed or "")
    assert all((each.scores, each.text) == ({}, None) for each in failed.values())

    idle = Scripted()
    await run_plan(plan_of(task, idle), tmp_path)
    assert idle.prepared == []
    again = Scripted()
    progress = await run_plan(plan_of(task, again), tmp_path, retry_failed=True)
    assert sorted(again.asked) == ["riddle 1.0", "riddle 1.1"]
    assert (progress.done, progress.failed) == (6, 0)


async def test_a_case_that_cannot_be_prepared_fails_with_all_its_questions(tmp_path: Path) -> None:
    class Unready(Scripted):
        def ready(self, case, lab):
            if case.id == "c1":
                raise DataError("Its history is unreadable.")
            return super().ready(case, lab)

    await run_plan(plan_of(Riddles(), Unready()), tmp_path)
    failed = [each for each in samples_in(tmp_path) if each.failed]
    assert [(each.case, each.question) for each in failed] == [("c1", "q0"), ("c1", "q1")]
    assert {each.failed for each in failed} == {"Its history is unreadable."}


async def test_a_wrong_setting_ends_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    def refused(query: str) -> str:
        if query == "riddle 2.0":
            raise ConfigurationError("The key is refused.")
        return "yes"

    method = Scripted(says=refused)
    with pytest.raises(ConfigurationError, match="The key is refused"):
        await run_plan(plan_of(Riddles(cases_=30), method), tmp_path, concurrency=1)
    assert {each.case for each in samples_in(tmp_path)} == {"c0", "c1"}
    assert method.open == 0


@pytest.mark.parametrize(("says", "agrees"), [("yes", True), ("?", False), ("first", False)])
async def test_options_are_asked_in_both_orders(says: str, agrees: bool, tmp_path: Path) -> None:
    def answer(query: str) -> str:
        if says == "first":
            return "no" if query == "turned" else "yes"
        return says

    await run_plan(plan_of(Riddles(turned=True), Scripted(says=answer)), tmp_path)
    for sample in samples_in(tmp_path):
        assert sample.turned is not None
        assert sample.turned.agrees is agrees
        assert sample.scores == {"correct": float(says != "?")}


def test_a_draw_is_the_seeds_and_a_larger_one_adds_to_it() -> None:
    cases = [*Riddles(cases_=40, questions=3).cases(Path(), 0)]
    few, many = draw(cases, 5, None, 7), draw(cases, 10, None, 7)
    assert len({each.user_id for each in few}) == 5
    assert len(few) == 15
    assert set(few) < set(many)
    assert draw(cases, 5, None, 7) == few != draw(cases, 5, None, 8)
    limited = draw(cases, None, 12, 7)
    assert len(limited) == 12
    assert set(limited) < set(draw(cases, None, 20, 7))
    assert draw(cases, None, None, 7)[0] == Asked("user0", "c0", "q0")


def test_a_folder_is_of_one_run_and_holds_no_secret(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, openai_api_key="sk-secret", model="m", top_k=4)
    plan = plan_of(Riddles(), Scripted())
    options = made_of(plan).options
    made = made_with(settings, options, made_of(plan).drawn)
    begin(tmp_path, made, session(settings, 4, tmp_path))
    begin(tmp_path, made, session(settings, 8, tmp_path))
    record = read_run(tmp_path)
    assert [each.concurrency for each in record.sessions] == [4, 8]
    assert record.made_with.models["critic"] == "m"
    assert record.made_with.settings["top_k"] == 4
    assert "sk-secret" not in (tmp_path / "run.json").read_text()
    other = made_with(
        settings.model_copy(update={"top_k": 5}),
        options.model_copy(update={"seed": 1}),
        made.drawn,
    )
    with pytest.raises(UsageError, match=r"other seed, top_k: go on with those"):
        begin(tmp_path, other, session(settings, 4, tmp_path))


class Word(Record):
    text: str


def test_lines_are_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    long = "x" * 200_000
    path.write_text(f'{{"text":"one"}}\n{{"text":"{long}')
    lines = Lines(path)
    lines.append(Word(text="two\n2"))
    lines.close()
    assert [each.text for each in read_lines(path, Word)] == ["one", "two\n2"]
    path.write_text('{"text":"cut')
    Lines(path).close()
    assert path.read_bytes() == b""
    path.write_text('{"word":"one"}\n')
    with pytest.raises(DataError, match="Line 1 of"):
        [*read_lines(path, Word)]
    with pytest.raises(DataError, match="cannot be written"):
        Lines(tmp_path / "missing" / "words.jsonl")


async def test_a_run_that_is_cancelled_lets_go_of_its_cases(tmp_path: Path) -> None:
    method, begun = Scripted(), asyncio.Event()
    plan = plan_of(Riddles(cases_=500), method)
    run = asyncio.ensure_future(run_plan(plan, tmp_path, on_done=lambda sample: begun.set()))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert method.open == 0
    assert len(samples_in(tmp_path)) < 1000
