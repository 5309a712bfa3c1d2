"""Closed questions on the command line, in a chat and in Python."""

import re
from typing import Any

from personaagent import PersonaAgent
from tests.support.command import Command
from tests.support.endpoint import Reply

QUESTION = "How shall I get to Porto?"
OPTIONS = "Which is the capital of Portugal? A) Porto B) Lisbon"


def script(body: dict[str, Any]) -> Reply:
    """Chooses the last of the answers that it may give; chats if it may say anything."""
    last = str(body["messages"][-1]["content"])
    if match := re.search(r"exactly one of these and nothing else: (.+)", last):
        assert "tools" not in body
        return match[1].split(", ")[-1].upper()
    return "By train or by bus."


def test_the_answer_is_one_of_those_given_and_carries_its_decision(command: Command) -> None:
    answer = command("ask", QUESTION, "-u", "ann", "--answers", "bus, train", "--json").data
    assert answer["reply"] == "train"
    decision = answer["decision"]
    assert decision["answer"] == "train"
    assert set(decision["probabilities"]) == {"bus", "train"}
    assert [source["name"] for source in decision["sources"]] == ["model"]
    assert decision["reason"].endswith("; train")


def test_the_decided_answer_is_printed_and_nothing_else(command: Command) -> None:
    assert command("ask", QUESTION, "-u", "ann", "--answers", "bus,train").out == "train\n"


def test_an_open_question_has_no_decision(command: Command) -> None:
    answer = command("ask", QUESTION, "-u", "ann", "--json").data
    assert answer["reply"] == "By train or by bus."
    assert answer["decision"] is None


def test_answers_that_make_no_choice_are_refused_before_anything_is_written(
    command: Command,
) -> None:
    refused = command("ask", QUESTION, "-u", "ann", "--answers", "bus")
    assert refused.code == 2
    assert "Give at least two possible answers, or none." in refused.err
    command("ask", QUESTION, "-u", "ann")
    assert len(command("memory", "list", "-u", "ann", "--json").data) == 1


def test_why_says_how_it_was_decided(command: Command) -> None:
    talk = command("chat", "-u", "ann", stdin=f"{OPTIONS}\n/why".encode())
    assert talk.out.startswith("B\n")
    assert "Decided\nThe model B 70%; B.\n" in talk.out
    assert "Together: B 70%, A 30%. Weights: model 1." in talk.out


async def test_python_takes_answers_too(command: Command) -> None:
    async with PersonaAgent() as agent:
        answer = await agent.ask(QUESTION, user="ann", answers=["bus", "train"])
    assert answer.decision is not None
    assert answer.decision.answer == answer.reply == "train"
    assert answer.decision.confidence > 0.5


def test_an_episode_keeps_how_sure_its_decision_was(command: Command) -> None:
    answer = command("ask", OPTIONS, "-u", "ann", "--json").data
    command("ask", "Tell me of Porto.", "-u", "ann")
    kept = {
        each["query"]: each["metadata"]
        for each in command("memory", "list", "-u", "ann", "--json").data
    }
    probability = answer["decision"]["probabilities"]["B"]
    assert kept[OPTIONS]["decision"] == {
        "answer": "B",
        "text": "Lisbon",
        "probability": probability,
    }
    assert "decision" not in kept["Tell me of Porto."]
