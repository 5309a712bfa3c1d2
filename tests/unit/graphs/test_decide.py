"""Closed questions through the whole graph, with a scripted model that reads its prompt."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from personaagent.core.decision import Decision
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build
from personaagent.nodes.decision.defaults import CHARS, SHOWN
from tests.support import embedder
from tests.support.memories import episode, index_in_memory, remember
from tests.support.scripted_model import OneToken, Prompt, Responder, scripted_dependencies

FILMS = "Which tag fits this film: {}?"
LABELS = ["Comedy"] * 9 + ["action"] * 4
NAMES = [
    "Anna",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Greta",
    "Hugo",
    "Ida",
    "Jan",
    "Kim",
    "Leo",
    "Mia",
]


@pytest.fixture(autouse=True)
def no_two_words_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each word has a place of its own in the embedding."""
    monkeypatch.setattr(embedder, "SIZE", 4096)


class Anna:
    """Anna's agent and memory; ``prompts`` is what the model was told."""

    def __init__(self, home: Path, responder: Responder) -> None:
        settings = load_settings(home=home)
        self.deps, self.prompts = scripted_dependencies(settings, responder, index_in_memory())
        self.store = InMemoryStore()
        self.memory = self.deps.memory.of(self.store, "anna")
        self.graph = build(self.deps).compile(store=self.store, checkpointer=InMemorySaver())

    def arguments(self, text: str, **context: Any) -> dict[str, Any]:
        return {
            "input": {"messages": [HumanMessage(text)]},
            "context": {"user_id": "anna", **context},
            "config": {"configurable": {"thread_id": "t"}},
        }

    async def ask(self, text: str, **context: Any) -> dict[str, Any]:
        state: dict[str, Any] = await self.graph.ainvoke(**self.arguments(text, **context))
        return state


async def anna_with(home: Path, responder: Responder, labels: Sequence[str] = LABELS) -> Anna:
    anna = Anna(home, responder)
    await remember(anna.memory, *history(labels))
    return anna


def history(labels: Sequence[str]) -> list[Episode]:
    return [
        episode(f"e{n}", FILMS.format(f"number {n}"), day=n, task="films", ground_truth=label)
        for n, label in enumerate(labels)
    ]


def says(text: str) -> Responder:
    return lambda prompt: text


def decided(state: dict[str, Any]) -> Decision:
    return Decision.model_validate(state["decision"])


async def test_a_closed_question_is_asked_without_tools_and_lists_the_answers(
    tmp_path: Path,
) -> None:
    anna = await anna_with(tmp_path, says("Comedy"))
    await anna.ask(FILMS.format("number 99"), task="films")
    [prompt] = anna.prompts
    assert prompt.tools == []
    assert prompt.last.endswith("and nothing else: Comedy, action")


async def test_a_choice_shows_few_episodes_and_little_of_each(tmp_path: Path) -> None:
    anna = Anna(tmp_path, says("Comedy"))
    plots = [f"{name} walks on. " * 60 for name in NAMES[: len(LABELS)]]
    long_films = [
        episode(f"e{n}", FILMS.format(plot), day=n, task="films", ground_truth=label)
        for n, (plot, label) in enumerate(zip(plots, LABELS, strict=True))
    ]
    await remember(anna.memory, *long_films)
    await anna.ask(FILMS.format("number 99"), task="films")
    await anna.ask("Tell me about the films that I like.", task="films")
    closed, opened = (prompt.system.split("<memories>")[-1] for prompt in anna.prompts)
    most = SHOWN["labels"] or 0
    assert closed.count(" -> ") == most
    steps = len("Anna walks on. ")
    assert 0 < closed.count("walks on") < most * CHARS["labels"] / steps
    assert opened.count("walks on") > 2 * closed.count("walks on")


async def test_the_answer_is_bare_and_in_the_users_own_spelling(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("Tag: comedy."))
    state = await anna.ask(FILMS.format("number 99"), task="films")
    assert state["messages"][-1].text == "Comedy"
    assert decided(state).applied
    [*_, newest] = [each async for each in anna.memory.episodes.oldest_first()]
    assert newest.response == "Comedy"


async def test_the_history_decides_where_the_model_names_no_answer(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("slapstick"))
    question = FILMS.format("number 99") + " [Comedy, action, drama]"
    state = await anna.ask(question, task="films")
    assert state["messages"][-1].text == "Comedy"


async def test_an_answer_of_which_the_user_never_spoke_stands(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("slapstick"))
    state = await anna.ask(FILMS.format("number 99"), task="films")
    assert state["messages"][-1].text == "slapstick"
    assert not decided(state).applied


async def test_a_text_that_says_more_stays_and_the_decision_stands_beside_it(
    tmp_path: Path,
) -> None:
    anna = await anna_with(tmp_path, says("Action, because cars explode in it."))
    state = await anna.ask(FILMS.format("number 99") + " And why?", task="films")
    assert state["messages"][-1].text == "Action, because cars explode in it."
    assert not decided(state).applied


async def test_no_token_of_a_closed_question_is_shown_before_the_decision(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("I say comedy"))
    arguments = anna.arguments(FILMS.format("number 99"), task="films")
    shown = [
        message.text
        async for message, _ in anna.graph.astream(**arguments, stream_mode="messages")
        if isinstance(message, AIMessage | AIMessageChunk)
    ]
    assert shown == ["Comedy"]


async def test_an_open_question_after_a_closed_one_has_no_decision(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("Comedy"))
    assert (await anna.ask(FILMS.format("number 99"), task="films"))["decision"]
    state = await anna.ask("Tell me about your day.")
    assert state["decision"] is None
    assert state["question"] is None


async def test_the_callers_answers_are_the_only_ones(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("noir"))
    question = FILMS.format("number 99")
    state = await anna.ask(question, task="films", answers=["drama", "action"])
    assert state["messages"][-1].text == "action"
    assert list(decided(state).probabilities) == ["drama", "action"]


@pytest.mark.parametrize(
    "answers",
    [["one"], ["a", "A"], ["a", " "], ["a", "b" * 300]],
    ids=["1", "same", "empty", "long"],
)
async def test_answers_that_make_no_choice_are_refused(tmp_path: Path, answers: list[str]) -> None:
    anna = Anna(tmp_path, says("a"))
    with pytest.raises(UsageError, match=r"answer"):
        await anna.ask("Which?", answers=answers)
    assert anna.prompts == []


async def test_what_is_hidden_has_no_vote(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        assert "Comedy" not in prompt.last
        return "action"

    anna = await anna_with(tmp_path, answer, ["Comedy"] * 9 + ["action"] * 4 + ["drama"] * 3)
    hidden = [f"e{n}" for n in range(9)]
    state = await anna.ask(FILMS.format("number 99"), task="films", hidden=hidden)
    assert set(decided(state).probabilities) == {"action", "drama"}


async def test_forgetting_a_label_that_voted_finds_the_thread(tmp_path: Path) -> None:
    anna = await anna_with(tmp_path, says("Comedy"))
    await anna.ask(FILMS.format("number 99"), task="films", top_k=0)
    assert await anna.memory.conversations.threads_with(["e3"], [("films", "Comedy")]) == {"t"}


async def test_without_a_label_of_the_task_the_shared_instruction_closes_a_question(
    tmp_path: Path,
) -> None:
    anna = Anna(tmp_path, says("Comedy"))
    untasked = [each.model_copy(update={"task": None}) for each in history(LABELS)]
    await remember(anna.memory, *untasked)
    state = await anna.ask(FILMS.format("number 99"))
    assert decided(state).question.instruction
    assert decided(state).answer == "Comedy"


ROSES_OR_CHESS = "Which one suits me? A) roses in the garden B) chess in the club"


@pytest.mark.parametrize(
    ("wanted", "heard"), [("A", {"model", "names"}), (None, {"model"})], ids=["chosen", "told"]
)
async def test_what_an_option_is_near_to_counts_where_the_user_has_chosen_before(
    tmp_path: Path, wanted: str | None, heard: set[str]
) -> None:
    """Else they may have written that they dislike it."""
    anna = Anna(tmp_path, says("B"))
    earlier = "Which one suits me? A) roses in the park B) cards in the pub"
    asked = earlier if wanted else "I cannot stand roses in the garden."
    await remember(anna.memory, episode("e1", asked, task="leisure", ground_truth=wanted))
    decision = decided(await anna.ask(ROSES_OR_CHESS, task="leisure"))
    assert {source.name for source in decision.sources} == heard
    names = [s.probabilities for s in decision.sources if s.name == "names"]
    assert all(says["A"] > says["B"] for says in names)


def leans_to_the_first_place(prompt: Prompt) -> OneToken:
    """Whatever stands there."""
    first, second = re.findall(r"\b([AB])\) ", prompt.last)
    return OneToken({first: 0.6, second: 0.4})


async def test_options_are_asked_in_reverse_unless_the_names_settle_it(tmp_path: Path) -> None:
    anna = Anna(tmp_path, leans_to_the_first_place)
    undecided = decided(await anna.ask(ROSES_OR_CHESS, task="leisure"))
    places = [prompt.last.index("roses") < prompt.last.index("chess") for prompt in anna.prompts]
    assert places == [True, False]
    assert undecided.probabilities == {"A": pytest.approx(0.5), "B": pytest.approx(0.5)}
    chosen = "Which one suits me? A) roses in the park B) cards in the pub"
    await remember(anna.memory, episode("e1", chosen, task="leisure", ground_truth="A"))
    assert decided(await anna.ask(ROSES_OR_CHESS, task="leisure")).answer == "A"
    assert len(anna.prompts) == 3
