"""Invented film lovers in the layout in which LaMP's authors publish LaMP-2M, and models for them.

Each user gives every film the same tag. The actor says ``comedy``, unless it is shown what the user
wanted before, and nothing else; as the agent it goes by its persona alone: the rule that the critic
and the editor find.
"""

import json
import re
from pathlib import Path
from typing import Any

from langchain_core.messages import convert_to_messages

from personaagent.eval.tasks.lamp_forms import MOVIE_TAGS, MOVIES
from tests.support.endpoint import Reply, Sure
from tests.support.solvers import most_wanted, wanted

TASK = "LaMP_2M"
SEEN = (
    "a lighthouse whose keeper never sleeps",
    "two brothers who inherit one violin",
    "winter in villages beyond any road",
    "strangers aboard their last night train",
    "a stolen painting that nobody misses",
)


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


def film_models(body: dict[str, Any]) -> Reply:
    """The models of every role, for a scripted endpoint."""
    system, *others = (message.text for message in convert_to_messages(body["messages"]))
    form = body.get("response_format", {}).get("json_schema", {}).get("name")
    evidence = re.findall(r"^(E\d+)", system, re.MULTILINE)
    if form == "Critique":
        tag = most_wanted(re.findall(r"wanted answer: (.*)", system))
        point = {"given": "comedy", "wanted": tag, "point": _rule(tag), "episodes": evidence}
        return json.dumps({"points": [point]})
    if form == "Proposals":
        [tag, *_] = re.findall(_rule("(.*?)"), others[1])
        proposal = {"action": "add", "rule": "", "text": _rule(tag), "evidence": evidence}
        return json.dumps({"proposals": [proposal]})
    if "<persona>" in system:
        return Sure(next(iter(re.findall(_rule("(.*)"), system)), "comedy"))
    shown = wanted(system)
    return most_wanted(shown) if shown else "comedy"


def _rule(tag: str) -> str:
    return f"Give every film the tag {tag}."
