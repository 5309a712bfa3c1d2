"""Which questions a memory answers for sure, so that no tool is chosen."""

import sys
from pathlib import Path

import pytest

from personaagent.nodes.agent.told_before import is_told

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))
from tool_choice_questions import (  # pyright: ignore[reportMissingImports]
    HELD,
    HISTORY,
    NEITHER,
    OLDER,
    WORLD,
)


def episode(query: str, ground_truth: str | None = None) -> dict[str, object]:
    return {"query": query, "response": "Noted.", "ground_truth": ground_truth}


@pytest.mark.parametrize(
    ("question", "memory"),
    [
        ("What is Ida allergic to?", "Ida turned six and is allergic to hazelnuts. What now?"),
        ("At what time is my cello lesson?", "I start cello lessons on Tuesday at 18:30."),
        ("Where did we hide the spare key of the boat?", "We hid the spare key of the boat here."),
        ("where did I put the passport", "I put the passport into the green tin."),
    ],
)
def test_a_memory_that_holds_all_that_is_asked_about_tells_it(question: str, memory: str) -> None:
    assert is_told(question, [episode("I like tea."), episode(memory)])


@pytest.mark.parametrize(
    ("question", "memory"),
    [
        ("Where does the Danube end?", "How do I clean a boat on the Danube?"),
        ("When was penicillin discovered?", "I am allergic to penicillin."),
        ("Where do cherry trees come from?", "We planted two cherry trees."),
        ("How much was my desk?", "I bought a desk for my room."),
        ("Where is my bicycle?", "My bicycle needs a new tyre."),
        ("Where did I buy my winter coat?", "My winter coat needs to be cleaned."),
        ("Which wine did I bring to Pavel's party?", "Pavel's party was great. I brought it home."),
        ("At what time is my cello lesson?", "I have cello lessons with Mrs Verbeke."),
        ("Which phone did I want?", "I ordered a lamp on Monday."),
        ("How do I clean the boat?", "I clean the boat in May."),
        ("What does my sister think of Ghent?", "My sister will think about Ghent."),
        ("Which books did I read in Ghent?", "I read a book in Ghent."),
        ("Tell me about Ida's allergies.", "Ida is allergic to hazelnuts."),
        ("And where?", "I put it there."),
        ("", "I put the passport into the green tin."),
    ],
)
def test_what_is_only_alike_does_not(question: str, memory: str) -> None:
    assert not is_told(question, [episode(memory)])


def test_what_was_asked_before_tells_nothing_until_an_answer_is_confirmed() -> None:
    asked = "Where did I put the passport?"
    assert not is_told(asked, [episode(asked)])
    assert not is_told(asked, [episode("where did i put the passport")])
    assert is_told(asked, [episode(asked, "In the green tin.")])


def test_no_two_memories_tell_it_together() -> None:
    question = "From which gate does my flight leave?"
    assert not is_told(question, [episode("My flight is late."), episode("I leave by the gate.")])


def test_other_languages_are_left_to_the_model() -> None:
    assert not is_told("Wo ist mein Fahrrad?", [episode("Mein Fahrrad ist grün.")])


def test_of_the_questions_of_the_benchmark_only_those_that_a_memory_answers_are_told() -> None:
    history = [episode(said, accepted) for said, accepted in HISTORY]
    told = [sum(is_told(each, history) for each in of_kind) for of_kind in (HELD, WORLD, OLDER)]
    assert told == [7, 0, 0]
    assert not any(is_told(each, history) for each in NEITHER)
