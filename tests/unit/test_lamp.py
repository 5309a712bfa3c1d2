"""The loader of LaMP folders, on invented data, and on real data where it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import DataError
from personaagent.eval.lamp import data_folder, load

ASK = "Which tag does this movie relate to? tags: [comedy, classic] description:"


def folder(place: Path, task: str, *questions: dict[str, Any]) -> Path:
    """A task's folder with these questions, each with its ``gold``."""
    golds = [{"id": each["id"], "output": each.pop("gold")} for each in questions]
    (place / "questions.json").write_text(json.dumps(questions), "utf-8")
    (place / "outputs.json").write_text(json.dumps({"task": task, "golds": golds}), "utf-8")
    return place


def film(name: str, tag: str, date: int) -> dict[str, Any]:
    return {"id": f"u-{name}", "tag": tag, "description": f"A film on {name}.", "date": date}


def asked(name: str, gold: str, date: int, *profile: dict[str, Any]) -> dict[str, Any]:
    """A question of Una's about a film."""
    return {
        "id": f"u-{name}",
        "user_id": "una",
        "input": f"{ASK} A film on {name}.",
        "profile": list(profile),
        "gold": gold,
        "date": date,
    }


CATS, DOGS, OWLS, EELS = (
    film("cats", "comedy", 100),
    film("dogs", "classic", 200),
    film("owls", "comedy", 300),
    film("eels", "classic", 400),
)


def test_several_questions_of_a_user_belong_together(tmp_path: Path) -> None:
    questions = (
        asked("eels", "classic", 400, OWLS, CATS, DOGS),
        asked("newts", "comedy", 500, EELS, CATS, DOGS, OWLS),
        asked("owls", "comedy", 300, DOGS, CATS),
    )
    [una] = load(folder(tmp_path, "LaMP_2M_style", *questions))
    assert (una.user_id, una.task) == ("una", "LaMP_2M_style")
    assert [(test.id, test.gold) for test in una.tests] == [
        ("u-eels", "classic"),
        ("u-newts", "comedy"),
    ]
    assert una.tests[0].query == f"{ASK} A film on eels."
    shown = [(e.query, e.ground_truth, e.created_at.timestamp()) for e in una.history]
    assert shown == [
        (f"{ASK} A film on cats.", "comedy", 100),
        (f"{ASK} A film on dogs.", "classic", 200),
        (f"{ASK} A film on owls.", "comedy", 300),
    ], "oldest first, each once, in the question's own words, and no test among them"
    assert {(e.user_id, e.task, e.signal) for e in una.history} == {("una", una.task, "edit")}
    assert len({e.id for e in una.history}) == 3


def test_history_ends_where_the_tests_begin(tmp_path: Path) -> None:
    later = film("bees", "classic", 450)
    questions = (asked("eels", "classic", 400, CATS), asked("newts", "comedy", 500, EELS, later))
    place = folder(tmp_path, "LaMP_2M_style", *questions)
    [una] = load(place)
    assert [e.query for e in una.history] == [f"{ASK} A film on cats."]
    [una] = load(place, most_tests=1)
    assert [e.created_at.timestamp() for e in una.history] == [100, 400, 450]


def test_ratings_keep_two_items_of_one_id(tmp_path: Path) -> None:
    profile = [
        {"id": "z-1", "text": "Dull.", "score": "2", "date": 10},
        {"id": "z-1", "text": "Dull still.", "score": "1", "date": 20},
    ]
    question = {
        "id": "z-1",
        "user_id": "zoe",
        "input": "What is the score? review: Bright.",
        "profile": profile,
        "gold": "5",
        "date": 30,
    }
    [zoe] = load(folder(tmp_path, "LaMP_3_style", question))
    assert [(e.query, e.ground_truth) for e in zoe.history] == [
        ("What is the score? review: Dull.", "2"),
        ("What is the score? review: Dull still.", "1"),
    ]


def test_without_dates_and_users_the_order_of_the_file_holds(tmp_path: Path) -> None:
    profile = [
        {"id": f"n-{n}", "text": f"News {n}.", "category": "travel", "title": ""} for n in (2, 1)
    ]
    questions = [
        {"id": f"q{n}", "input": "Which? article: Storm.", "profile": profile, "gold": "crime"}
        for n in (1, 2)
    ]
    users = load(folder(tmp_path, "LaMP_2N", *questions))
    assert [user.user_id for user in users] == ["q1", "q2"]
    history = users[0].history
    assert [e.query for e in history] == ["Which? article: News 2.", "Which? article: News 1."]
    assert history[0].created_at < history[1].created_at


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="PERSONAAGENT_DATA"):
        load(tmp_path / "none")
    strange = {"id": "p", "input": "?", "profile": [{"id": "p-1", "title": "T"}], "gold": "[1]"}
    with pytest.raises(DataError, match="title"):
        load(folder(tmp_path, "LaMP_1", strange))
    unasked = {"id": "p", "input": "Which?", "profile": [CATS], "gold": "comedy"}
    with pytest.raises(DataError, match="description:"):
        load(folder(tmp_path, "LaMP_2M_style", unasked))


@pytest.mark.parametrize("task", ["LaMP_2M_style", "LaMP_2N", "LaMP_3_style"])
def test_the_real_folders(task: str) -> None:
    place = data_folder() / task
    if not place.is_dir():
        pytest.skip(f"{place} is not there: set PERSONAAGENT_DATA to the folder that holds lamp/.")
    users = load(place)
    assert sum(len(user.history) >= 5 for user in users) >= 40
    for user in users:
        assert 1 <= len(user.tests) <= 2
        asked_before = {episode.query for episode in user.history}
        assert not asked_before & {test.query for test in user.tests}
        assert all(episode.labelled for episode in user.history)
        moments = [episode.created_at for episode in user.history]
        assert moments == sorted(moments)
