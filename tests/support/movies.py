"""Invented film lovers in the layout in which LaMP's authors publish LaMP-2M."""

import json
from pathlib import Path

from personaagent.eval.tasks.lamp import MOVIE_TAGS, MOVIES

TASK = "LaMP_2M"
SEEN = ("a lighthouse", "two brothers", "a long winter", "the last train", "a stolen painting")


def favourite(user: int) -> str:
    """The tag that this user gives to every film."""
    return MOVIE_TAGS[user % len(MOVIE_TAGS)]


def write_movies(data: Path, users: int, questions: int = 1) -> Path:
    """``data`` with so many users, who ask so many questions each and have seen five films."""
    folder = data / "lamp" / TASK
    folder.mkdir(parents=True)
    asked, golds = [], []
    for user in range(users):
        profile = [
            {
                "id": f"{user}{number}",
                "tag": favourite(user),
                "description": f"A film about {film}.",
            }
            for number, film in enumerate(SEEN)
        ]
        for number in range(questions):
            name = f"{user}-{number}"
            about = f"A film about person {user} and their {number}. journey."
            asked.append(
                {
                    "id": name,
                    "user_id": f"user{user}",
                    "input": f"{MOVIES.ask} {about}",
                    "profile": profile,
                }
            )
            golds.append({"id": name, "output": favourite(user)})
    (folder / "questions.json").write_text(json.dumps(asked))
    (folder / "outputs.json").write_text(json.dumps({"task": TASK, "golds": golds}))
    return data
