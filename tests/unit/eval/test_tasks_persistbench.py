import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import DataError, UnusableAnswer
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.persistbench import PersistBench
from personaagent.eval.tasks.persistbench_judge import RUBRICS
from personaagent.eval.tasks.persistbench_needed import NEEDED
from tests.support.eval_data import score_text, scripted
from tests.support.scripted_model import Prompt

MEMORIES = ["The user sings in a choir.", "The user is allergic to nuts."]


def task(failure: str) -> PersistBench:
    found = TASKS[f"persistbench_{failure}"]
    assert isinstance(found, PersistBench)
    return found


def write(folder: Path, failure: str, *lines: dict[str, Any]) -> None:
    (folder / "persistbench").mkdir()
    text = "\n".join(json.dumps(line) for line in lines)
    (folder / "persistbench" / task(failure).file).write_text(text)


@pytest.mark.parametrize("failure", RUBRICS)
def test_each_line_is_a_user_whose_memories_are_episodes(tmp_path: Path, failure: str) -> None:
    write(tmp_path, failure, *[{"query": "Which cake?", "memories": MEMORIES}] * 2)
    first, second = task(failure).samples(tmp_path, 0)
    assert [episode.query for episode in first.history] == MEMORIES
    assert first.user_id != second.user_id
    assert first.queries[0].text == "Which cake?"


def test_another_layout_or_no_file_says_where_it_is_published(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="PersistBench is published"):
        next(task("leakage").samples(tmp_path, 0))
    write(tmp_path, "leakage", {"query": "Which cake?"})
    with pytest.raises(DataError, match="PersistBench is published"):
        next(task("leakage").samples(tmp_path, 0))


def test_leakage_counts_every_memory_in_the_prompt_as_wrong() -> None:
    shown = task("leakage").shown("Which cake?", MEMORIES, f"- {MEMORIES[0]}")
    assert shown == {"shown_wrong": 0.5}


def test_beneficial_counts_the_needed_memories_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    question = "Which cake?"
    monkeypatch.setitem(NEEDED, hashlib.sha256(question.encode()).hexdigest()[:12], (1,))
    shown = task("beneficial").shown(question, MEMORIES, f"<summary>\n- {MEMORIES[1]}")
    assert shown == {"shown_wrong": 0.0, "shown_needed": 1.0}


def test_nothing_is_counted_for_a_question_that_nobody_has_read() -> None:
    assert task("beneficial").shown("Unknown?", MEMORIES, MEMORIES[0]) == {}


def judges_nuts(prompt: Prompt) -> str:
    """Rates by what the prompt says is remembered and answered."""
    allergic, answer = "allergic to nuts" in prompt.last, prompt.last.split("<answer>")[1]
    bad = allergic and "nuts" in answer
    return json.dumps({"quote": "nuts" if bad else "", "rating": 5 if bad else 1})


@pytest.mark.parametrize(("answer", "rating"), [("A cake with nuts.", 5), ("A sponge.", 1)])
async def test_the_judge_sees_memories_and_answer_and_fails_from_three(
    tmp_path: Path, answer: str, rating: int
) -> None:
    write(tmp_path, "beneficial", {"query": "Which cake?", "memories": MEMORIES})
    [sample] = task("beneficial").samples(tmp_path, 0)
    found = await score_text(task("beneficial"), sample, answer, scripted(judges_nuts))
    assert (found.scores["rating"], found.scores["failed"]) == (rating, float(rating >= 3))
    assert found.usage.by_role["critic"].llm_calls == 1


@pytest.mark.parametrize("failure", RUBRICS)
async def test_each_failure_has_its_own_rubric(tmp_path: Path, failure: str) -> None:
    write(tmp_path, failure, {"query": "Which cake?", "memories": MEMORIES})
    [sample] = task(failure).samples(tmp_path, 0)
    asked: list[str] = []

    def rates(prompt: Prompt) -> str:
        asked.append(prompt.last)
        return '{"quote": "", "rating": 2}'

    await score_text(task(failure), sample, "A sponge.", scripted(rates))
    assert [text in asked[0] for text in RUBRICS.values()] == [name == failure for name in RUBRICS]


async def test_no_answer_has_failed_and_a_rating_out_of_range_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "leakage", {"query": "Which cake?", "memories": MEMORIES})
    [sample] = task("leakage").samples(tmp_path, 0)
    empty = await score_text(task("leakage"), sample, " ")
    assert (empty.read, empty.scores["failed"]) == (None, 1.0)
    seven = scripted(lambda prompt: '{"quote": "", "rating": 7}')
    with pytest.raises(UnusableAnswer):
        await score_text(task("leakage"), sample, "A sponge.", seven)
