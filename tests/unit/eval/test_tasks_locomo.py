"""LoCoMo on an invented conversation in the published layout; F1 worked by hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import DataError
from personaagent.core.records import Usage
from personaagent.eval.samples import Sample, SolverOutput
from personaagent.eval.tasks.locomo import LocomoAnswers, LocomoRecall, answer_f1
from tests.support.eval_data import locomo, score_text, scripted, unasked
from tests.support.scripted_model import Prompt

RECALL, ANSWERS = LocomoRecall(), LocomoAnswers()


def asked(query: str, answer: Any, *evidence: str, category: int = 4) -> dict[str, Any]:
    return {
        "question": query,
        "answer": answer,
        "evidence": list(evidence),
        "category": category,
    }


QUESTIONS = (
    asked("When did Ann buy it?", "30 April 2023", "D1:1", category=2),
    asked("In which year?", 2023, "D1:1; D2:1", category=2),
    asked("Who?", "Ann", "D9:9", "D"),
    asked("Unsaid?", "", "D1:1", category=5),
)


def sample(data: Path, task: LocomoRecall | LocomoAnswers) -> Sample:
    [found] = task.samples(locomo(data, *QUESTIONS), 0)
    return found


def test_every_turn_is_an_episode_in_order(tmp_path: Path) -> None:
    found = sample(tmp_path, RECALL)
    assert [(e.id, e.query, e.created_at.isoformat()) for e in found.history] == [
        ("D1:1", "Ann: I bought a boat yesterday.", "2023-05-01T13:56:00+00:00"),
        ("D1:2", "Bob: A red one? and shared a photo of a red boat.", "2023-05-01T13:56:01+00:00"),
        ("D2:1", "Ann: I sold the boat.", "2023-05-02T08:00:00+00:00"),
    ]
    conversations = [e.metadata["conversation_id"] for e in found.history]
    assert conversations == ["session_1", "session_1", "session_2"]


def test_questions_with_an_answer_and_known_evidence(tmp_path: Path) -> None:
    found = [(q.text, q.gold, q.details["evidence"]) for q in sample(tmp_path, RECALL).queries]
    assert found == [
        ("When did Ann buy it?", "30 April 2023", ["D1:1"]),
        ("In which year?", "2023", ["D1:1", "D2:1"]),
    ]


async def test_recall_counts_evidence_to_each_depth(tmp_path: Path) -> None:
    found = sample(tmp_path, RECALL)
    recalled = ["D1:2", "x1", "x2", "D2:1", "x3", "x4", "x5", "D1:1"]
    scored_ = await RECALL.score(
        found, found.queries[1], SolverOutput(text=None, recalled=recalled), unasked()
    )
    assert scored_.scores == {"recall@4": 0.5, "recall@8": 1, "recall@20": 1}
    assert (RECALL.answers, scored_.read) == (False, None)


@pytest.mark.parametrize(
    ("answer", "gold", "category", "expected"),
    [
        ("The 30th, of April", "30 April", 4, 2 * 1 / (3 + 2)),
        ("She adopted cats", "adopting a cat", 4, 2 * 2 / (3 + 2)),
        ("cats and cats", "a cat", 4, 2 * 1 / (2 + 1)),
        ("owls", "cats", 4, 0),
        ("!", "cats", 4, 0),
        ("red boats, a car", "red boat, car, house", 1, (1 + 1 + 0) / 3),
        ("red boats, a car", "red boat, car, house", 4, 2 * 3 / (3 + 4)),
        ("likely yes", "yes; she is kind", 3, 2 * 1 / (2 + 1)),
        ("likely yes", "yes; she is kind", 4, 2 * 1 / (2 + 4)),
    ],
)
def test_f1_as_the_authors_reckon_it(
    answer: str, gold: str, category: int, expected: float
) -> None:
    assert answer_f1(answer, gold, category) == pytest.approx(expected)


def by_the_year(prompt: Prompt) -> str:
    """Right if both answers name the same year, and the question is the one that was asked."""
    fields = dict(re.findall(r"<(query|wanted|answer)>\n(.*)\n</\1>", prompt.last))
    assert fields["query"] == "When did Ann buy it?"
    return json.dumps({"why": "", "right": fields["wanted"][-4:] == fields["answer"][-4:]})


@pytest.mark.parametrize(
    ("text", "f1", "judged"), [("In 2023", 2 * 1 / (2 + 3), 1), ("In 2022", 0, 0)]
)
async def test_an_answer_is_judged(tmp_path: Path, text: str, f1: float, judged: int) -> None:
    found = await score_text(ANSWERS, sample(tmp_path, ANSWERS), text, scripted(by_the_year))
    assert found.scores == {"f1": pytest.approx(f1), "judged": judged}
    assert found.usage.by_role["critic"].llm_calls == 1


@pytest.mark.parametrize(("text", "score"), [("The 30 April, 2023.", 1), ("", 0), (None, 0)])
async def test_what_needs_no_judge(tmp_path: Path, text: str | None, score: int) -> None:
    found = await score_text(ANSWERS, sample(tmp_path, ANSWERS), text)
    assert (found.scores, found.usage) == ({"f1": score, "judged": score}, Usage())


def test_the_question_says_how_to_answer(tmp_path: Path) -> None:
    first = sample(tmp_path, ANSWERS).queries[0]
    assert first.text.startswith("When did Ann buy it?\nAnswer with a short phrase")


def test_what_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="snap-research/locomo"):
        next(RECALL.samples(tmp_path, 0))
    with pytest.raises(DataError, match=r"locomo10\.json .*'evidence'"):
        next(RECALL.samples(locomo(tmp_path, {"question": "?", "category": 1}), 0))
