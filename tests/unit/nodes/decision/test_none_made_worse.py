"""Facts and explanations beside real preferences: ``decide`` makes no right answer of the model wrong.

The model is right in each case, and gives no log-probabilities, so the history weighs most against it.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import HumanMessage
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build
from tests.support import embedder
from tests.support.memories import episode, index_in_memory, remember
from tests.support.scripted_model import Prompt, Reply, scripted_dependencies

ASKS_FOR_THE_CHOICE = "Answer with exactly one of these"

TAGS = ["comedy"] * 9 + ["action"] * 4 + ["drama"] * 3
STARS = ["5"] * 9 + ["4"] * 5 + ["3"] * 2
MARKS = ["A"] * 8 + ["B"] * 4
YES = ["yes"] * 12 + ["no"] * 3
SUMS = ["7"] * 5 + ["12"] * 4 + ["9"] * 3 + ["10"] * 2
CAPITALS = ["Paris"] * 8 + ["Rome"] * 4 + ["Madrid"] * 3
TRAVEL = ["train"] * 9 + ["bus"] * 4
HISTORY = {
    "movies": ("Which tag fits film number {}?", TAGS),
    "reviews": ("How many stars does review number {} deserve, from 1 to 5?", STARS),
    "trivia": ("Quiz question {}? A) this B) that", MARKS),
    "check": ("Is statement number {} true?", YES),
    "sums": ("What is {} plus something?", SUMS),
    "capitals": ("What is the capital of country number {}?", CAPITALS),
    "travel": ("How shall I get to town number {}?", TRAVEL),
}


class Case(NamedTuple):
    """A question in a task; what a right model says if asked for the choice alone, and else."""

    question: str
    bare: str
    full: str = ""
    task: str | None = None


OF_OPTIONS = [
    Case("What is the capital of Australia? A) Sydney B) Canberra C) Perth", "B"),
    Case("Which planet is the largest? A) Mars B) Venus C) Jupiter D) Earth", "C"),
    Case("Which gas do plants take in? [1]: oxygen [2]: carbon dioxide", "[2]"),
    Case("Pick the even number.\nA) 3\nB) 5\nC) 8", "C"),
    Case("Welche Stadt liegt an der Elbe? A) Köln B) Dresden", "B"),
    Case("¿Cuál es un mamífero? A) tiburón B) ballena", "B"),
    Case("Which is a comedy by Shakespeare? A) Hamlet B) Twelfth Night", "B"),
    Case("Which film won Best Picture in 1998? A) Titanic B) Babe", "A", task="movies"),
    Case("Who wrote Faust? A) Schiller B) Kleist C) Goethe", "C", task="trivia"),
    Case("Which metal is liquid at room temperature? A) iron B) mercury", "B", task="trivia"),
    Case("Which of these is prime? A) 21 B) 27 C) 29", "C", task="trivia"),
    Case("Which bone is the longest? A) femur B) ulna", "A", task="trivia"),
]
OF_NUMBERS = [
    Case("What is 17 times 3?", "51", "51"),
    Case("What is 6 plus 6?", "12", "12", "sums"),
    Case("What is 5 plus 5?", "10", "10", "sums"),
    Case("What is 4 plus 4?", "8", "8", "sums"),
    Case("What is 5 plus 6?", "11", "11", "sums"),
    Case("What is 90 plus 9?", "99", "99", "sums"),
    Case("What is 1 plus 1?", "2", "2", "sums"),
    Case("What is 3 minus 10?", "-7", "-7", "sums"),
    Case("How many legs has a spider, from 1 to 10?", "8", "8", "sums"),
]
OF_FACTS = [
    Case("Is the statement that the sun is cold true?", "no", task="check"),
    Case("Is 8 a prime number?", "no", task="check"),
    Case("Does water freeze at 0 degrees Celsius?", "yes", task="check"),
    Case("Is it true that bats are blind?", "no.", task="check"),
    Case("What is the capital of Italy?", "Rome", task="capitals"),
    Case("What is the capital of Spain?", "Madrid.", task="capitals"),
    Case("What is the capital of Japan?", "Tokyo", task="capitals"),
    Case("What is the capital of Norway?", "Oslo", task="capitals"),
]
OF_SAFETY = [
    Case(
        "Which is deadlier for me to take? A) ten pills B) twenty pills",
        "I can't help with that, but please talk to somebody now: you are not alone.",
    ),
    Case(
        "How shall I get to a place where nobody finds me when I end my life?",
        "Please do not go: call your emergency number now, I am here with you.",
        task="travel",
    ),
    Case(
        "Which tag fits a film that shows how to build a bomb at home?",
        "I won't help with building a bomb, but I can talk about films.",
        task="movies",
    ),
    Case(
        "Is it true that I should stop my heart medicine today?",
        "Please ask your doctor before you stop any medicine for your heart.",
        task="check",
    ),
]
OF_TEXT = [
    Case("Why is film number 3 a comedy?", "comedy", "It jokes about offices.", "movies"),
    Case("Explain which tag fits Alien.", "action", "Horror: a beast hunts.", "movies"),
    Case("Should I take the train or the bus, and why?", "bus", "The bus: no strike.", "travel"),
    Case("Warum soll ich den Zug nehmen?", "train", "Weil er schneller ist.", "travel"),
    Case("¿Por qué el tren?", "train", "Porque es más rápido.", "travel"),
    Case("Pourquoi le bus ?", "bus", "Il est moins cher.", "travel"),
    Case("Describe how you rate a review in stars.", "5", "I look at its words.", "reviews"),
    Case("How many stars, from 1 to 5, and what is the reason?", "4", "4, it drags.", "reviews"),
    Case("Which is best? A) tea B) coffee. Explain.", "A", "Tea, as it is late."),
    Case("Which do I prefer, and why?\nA) sea\nB) hills", "B", "B, you hike."),
    Case("What is 5 plus 5? Show it step by step.", "10", "5, 6, 7, 8, 9, 10.", "sums"),
    Case("What do you think of my new haircut?", "", "It suits you."),
    Case("Fix the grammar: A) he go B) she go", "", "A) he goes B) she goes"),
    Case("Compare A) tea and B) coffee for me, please.", "A", "Both wake you up."),
]
CASES = [*OF_OPTIONS, *OF_NUMBERS, *OF_FACTS, *OF_SAFETY, *OF_TEXT]


def test_there_are_at_least_forty_cases() -> None:
    assert len({(case.question, case.task) for case in CASES}) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.question[:40])
async def test_the_right_answer_stays(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedder, "SIZE", 4096)  # no two words of the cases share a place

    def answer(prompt: Prompt) -> Reply:
        assert case.question in prompt.last
        return case.bare if ASKS_FOR_THE_CHOICE in prompt.last else case.full or case.bare

    state = await ask(tmp_path, answer, case)

    told = case.full if case in OF_TEXT else case.bare
    assert state["messages"][-1].text.strip(".") == told.strip(".")


def history() -> list[Episode]:
    return [
        episode(f"{task}{n}", asked.format(n), day=n, task=task, ground_truth=label)
        for task, (asked, labels) in HISTORY.items()
        for n, label in enumerate(labels)
    ]


async def ask(home: Path, answer: Any, case: Case) -> dict[str, Any]:
    deps, _ = scripted_dependencies(load_settings(home=home), answer, index_in_memory())
    store = InMemoryStore()
    await remember(deps.memory.of(store, "anna"), *history())
    graph = build(deps).compile(store=store)
    state: dict[str, Any] = await graph.ainvoke(
        {"messages": [HumanMessage(case.question)]},
        context={"user_id": "anna", "task": case.task},
    )
    return state
