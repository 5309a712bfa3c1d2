"""The tasks of LaMP on invented data in the published layout."""

from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import DataError
from personaagent.eval.samples import Sample
from personaagent.eval.tasks.all import TASKS
from personaagent.eval.tasks.lamp_forms import MOVIES
from tests.support.eval_data import lamp, only_query, score_text

Json = dict[str, Any]
REVIEW = (
    "What is the score of the following review on a scale of 1 to 5? "
    "just answer with 1, 2, 3, 4, or 5 without further explanation. review:"
)


def film(name: str, tag: str, date: int | str | None = None) -> Json:
    fields = {"id": f"u-{name}", "tag": tag, "description": f"A film on {name}."}
    return fields if date is None else fields | {"date": date}


def asked(name: str, gold: str, *profile: Json, date: int | str | None = None) -> Json:
    """A question of Una's about a film."""
    query = {
        "id": f"u-{name}",
        "user_id": "una",
        "input": f"{MOVIES.ask} A film on {name}.",
        "profile": list(profile),
        "gold": gold,
    }
    return query if date is None else query | {"date": date}


def samples(data: Path, task: str, *queries: Json, seed: int = 0) -> list[Sample]:
    return [*TASKS[task].samples(lamp(data, task, *queries), seed)]


def test_history_is_what_came_before_the_question(tmp_path: Path) -> None:
    profile = (
        film("newts", "comedy", 1_300_000_500),
        film("cats", "classic", 1_300_000_200),
        film("dogs", "comedy", 1_300_000_100),
        film("owls", "comedy", 1_300_000_300),
        film("bees", "comedy", 1_300_000_400),
    )
    [sample] = samples(tmp_path, "LaMP_2M", asked("owls", "classic", *profile, date=1_300_000_400))
    assert (sample.id, sample.user_id, only_query(sample).gold) == ("u-owls", "una", "classic")
    shown = [(e.query, e.ground_truth, e.created_at.timestamp()) for e in sample.history]
    assert shown == [
        (f"{MOVIES.ask} A film on dogs.", "comedy", 1_300_000_100),
        (f"{MOVIES.ask} A film on cats.", "classic", 1_300_000_200),
    ], "oldest first, neither the question's own film nor what is dated like it or later"
    assert only_query(sample).text.startswith(MOVIES.ask)


@pytest.mark.parametrize(
    ("date", "known"), [("2014-05-02", 2), ("2014-05-01", 1), ("2014-03", 1), (2014, 0)]
)
def test_dates_as_days_months_and_years(tmp_path: Path, date: str | int, known: int) -> None:
    profile = film("cats", "comedy", "2014-01-31"), film("dogs", "comedy", "2014-05-01")
    [sample] = samples(tmp_path, "LaMP_2M", asked("owls", "classic", *profile, date=date))
    assert len(sample.history) == known


def test_without_dates_and_users_the_order_of_the_file_holds(tmp_path: Path) -> None:
    profile = [{"id": f"n-{n}", "text": f"News {n}.", "category": "travel"} for n in (2, 1)]
    queries = [
        {"id": f"q{n}", "input": "Which? article: Storm.", "profile": profile, "gold": "crime"}
        for n in (1, 2)
    ]
    found = samples(tmp_path, "LaMP_2N", *queries)
    assert [sample.user_id for sample in found] == ["q1", "q2"]
    first, second = found[0].history
    assert first.query.endswith("article: News 2.")
    assert first.created_at < second.created_at
    assert first.id != second.id


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("comedy", "comedy"),
        ("Tag: Comedy.", "comedy"),
        ("dark comedy", "dark comedy"),
        ("comedy or action", None),
        ("western", None),
        ("", None),
        ("The film is one in which much happens that others might well call a comedy", None),
    ],
)
async def test_labels(tmp_path: Path, text: str, read: str | None) -> None:
    [sample] = samples(tmp_path, "LaMP_2M", asked("owls", "comedy", film("cats", "dark comedy")))
    found = await score_text(TASKS["LaMP_2M"], sample, text)
    assert found.read == read
    assert found.scores == {
        "correct": read == "comedy",
        "exact": text == "comedy",
        "faithfulness": read == "dark comedy",
    }


@pytest.mark.parametrize(
    ("text", "gold", "read", "error"),
    [
        ("4", "5", "4", 1),
        ("Score: 4 out of 5", "5", "4", 1),
        ("4.5 stars", "5", "4.5", 0.5),
        ("great", "2", None, 3),
        ("great", "4", None, 3),
        ("7", "3", None, 2),
        ("On 2 days of the week I thought about it and came to no score", "5", None, 4),
    ],
)
async def test_ratings(tmp_path: Path, text: str, gold: str, read: str, error: float) -> None:
    profile = [{"id": "r-1", "text": "Dull.", "score": "4"}]
    query = {"id": "r", "input": f"{REVIEW} Bright.", "profile": profile, "gold": gold}
    [sample] = samples(tmp_path, "LaMP_3", query)
    assert [(e.query, e.ground_truth) for e in sample.history] == [(f"{REVIEW} Dull.", "4")]
    found = await score_text(TASKS["LaMP_3"], sample, text)
    assert (found.read, found.scores["error"]) == (read, error)
    assert found.scores["faithfulness"] == (read == "4")


@pytest.mark.parametrize(
    ("task", "ask", "fields"),
    [
        ("LaMP_4", "Generate a headline for the following article:", ("text", "title")),
        (
            "LaMP_5",
            "Generate a title for the following abstract of a paper:",
            ("abstract", "title"),
        ),
        ("LaMP_6", "Generate a subject for the following email:", ("text", "title")),
    ],
)
async def test_texts(tmp_path: Path, task: str, ask: str, fields: tuple[str, str]) -> None:
    profile = [dict(zip(fields, ("We sailed.", "Blue boats"), strict=True)) | {"id": "p"}]
    query = {"id": "q", "input": f"{ask} We swam.", "profile": profile, "gold": "Red boats sail"}
    [sample] = samples(tmp_path, task, query)
    assert [(e.query, e.ground_truth) for e in sample.history] == [
        (f"{ask} We sailed.", "Blue boats")
    ]
    found = await score_text(TASKS[task], sample, "sail boat red")
    assert found.read == "sail boat red"
    expected = {"rouge1": 2 / 3, "rougeL": 1 / 3, "persona_f1": 0, "faithfulness": 0}
    assert found.scores == pytest.approx(expected), "boat is not boats: there is no stemmer"
    found = await score_text(TASKS[task], sample, "blue swam")
    assert found.scores["persona_f1"] == pytest.approx(2 * 1 / (2 + 2))
    assert found.scores["faithfulness"] == 1
    assert (await score_text(TASKS[task], sample, "  ")).read is None


def test_tweets_answer_no_question(tmp_path: Path) -> None:
    profile = [{"id": "t-1", "text": "so tired lol"}, {"id": "t-2", "text": "what a day!!"}]
    ask = "Paraphrase the following tweet without any explanation before or after it: A fine day."
    [sample] = samples(
        tmp_path, "LaMP_7", {"id": "t", "input": ask, "profile": profile, "gold": "what a day!!"}
    )
    assert [(e.query, e.ground_truth) for e in sample.history] == [("so tired lol", None)]


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lamp-benchmark\.github\.io"):
        next(TASKS["LaMP_4"].samples(tmp_path, 0))
    lost = asked("owls", "comedy") | {"profile": [{"id": "1", "title": "T"}]}
    with pytest.raises(DataError, match="description"):
        samples(tmp_path, "LaMP_2M", lost)
    data = lamp(tmp_path, "LaMP_2M", asked("owls", "comedy"))
    (data / "lamp" / "LaMP_2M" / "outputs.json").write_text('{"golds": []}', "utf-8")
    with pytest.raises(DataError, match="u-owls has no answer"):
        next(TASKS["LaMP_2M"].samples(data, 0))
    (data / "lamp" / "LaMP_2M" / "questions.json").write_text("[{", "utf-8")
    with pytest.raises(DataError, match=r"questions\.json"):
        next(TASKS["LaMP_2M"].samples(data, 0))
