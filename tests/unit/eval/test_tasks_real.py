"""The tasks on the published data, where it is; none of it stands here."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from personaagent.core.errors import DataError
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.files import data_folder
from personaagent.eval.tasks.lamp import LampTask
from personaagent.eval.tasks.prefeval import PrefEvalChoice
from personaagent.eval.tasks.protocol import Task
from tests.support.eval_data import only_query


def samples(task: Task) -> list[Sample]:
    try:
        return [*task.samples(data_folder(), 0)]
    except DataError as error:
        if "No such file" not in str(error) and "holds no topics" not in str(error):
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("name", TASKS)
def test_nothing_is_known_that_came_later(name: str) -> None:
    for sample in samples(TASKS[name]):
        moments = [episode.created_at for episode in sample.history]
        assert moments == sorted(moments)
        assert len({episode.id for episode in sample.history}) == len(moments)
        asked = {query.text for query in sample.queries}
        assert not asked & {episode.query for episode in sample.history}
        for query in sample.queries:
            dated = query.details.get("date")
            assert dated is None or all(moment.isoformat() < dated for moment in moments)


@pytest.mark.parametrize("name", [name for name in TASKS if name.startswith("LaMP")])
def test_lamp_is_asked_in_the_official_words(name: str) -> None:
    task = TASKS[name]
    found = samples(task)
    assert len({sample.id for sample in found}) == len(found)
    for sample in found:
        query = only_query(sample)
        if isinstance(task, LampTask) and task.form.ask:
            assert query.text.startswith(task.form.ask)
            assert all(episode.query.startswith(task.form.ask) for episode in sample.history)
        if task.labels:
            assert query.gold in task.labels
            assert {episode.ground_truth for episode in sample.history} <= {*task.labels}
            assert task.read(query, query.gold) == query.gold


@pytest.mark.parametrize("name", [name for name in TASKS if name.startswith("LaMP")])
def test_lamp_is_whole(name: str) -> None:
    found = samples(TASKS[name])
    asked = json.loads((data_folder() / "lamp" / name / "questions.json").read_text("utf-8"))
    assert [sample.id for sample in found] == [query["id"] for query in asked]
    before = [
        sum("date" not in query or item["date"] < query["date"] for item in query["profile"])
        for query in asked
    ]
    kept = [len(sample.history) for sample in found]
    assert all(few <= all_ for few, all_ in zip(kept, before, strict=True))
    assert sum(kept) >= 0.98 * sum(before), "hardly anything else is left out"


def test_citations_are_of_the_author_and_the_sides_are_even() -> None:
    found = samples(TASKS["LaMP_1"])
    sides = Counter(episode.ground_truth for sample in found for episode in sample.history)
    assert 0.45 < sides["[1]"] / sides.total() < 0.55
    for sample in found:
        query = only_query(sample)
        for episode in sample.history:
            assert not any(f'"{title}"' in episode.query for title in query.options)


def test_prefeval_is_whole() -> None:
    found = samples(TASKS["prefeval_mcq"])
    forms = Counter(only_query(sample).details["form"] for sample in found)
    folder = data_folder() / "prefeval" / "benchmark_dataset" / "mcq_options"
    told = sum(len(json.loads(file.read_text("utf-8"))) for file in folder.glob("*.json"))
    assert forms == {"explicit": told, "choice-based": told, "persona-driven": told}
    assert len({sample.id for sample in found}) == len(found)
    assert {len(only_query(sample).options) for sample in found} == {4}
    places = Counter(only_query(sample).options.index(only_query(sample).gold) for sample in found)
    assert all(0.2 < count / places.total() < 0.3 for count in places.values())
    long = next(replace(PrefEvalChoice(), turns=300).samples(data_folder(), 0))
    assert len(long.history) == 301


def test_locomo_has_evidence_for_every_question() -> None:
    for sample in samples(TASKS["locomo_qa"]):
        known = {episode.id for episode in sample.history}
        for query in sample.queries:
            assert query.gold
            assert {*query.details["evidence"]} <= known
