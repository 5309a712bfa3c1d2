"""The budget of the prompt: which episodes and which messages stand in it."""

from datetime import UTC

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from personaagent.core.records import Persona, Profile, Rule, Statement, TaskFacts
from personaagent.core.settings import Settings
from personaagent.core.tokens import estimate_tokens
from personaagent.nodes.agent.inject_persona import system_prompt
from personaagent.nodes.agent.prompt_budget import (
    fit_episodes,
    fit_instructions,
    fit_messages,
    remaining_tokens,
)
from personaagent.prompts.render import render
from tests.support.memories import START, episode

FIXED_TEXT = "Answer in one sentence. " * 10


def test_the_most_similar_episodes_that_fit_stand_in_the_prompt() -> None:
    ranked = [episode(f"e{number}", f"question {number} " * 20) for number in range(8)]
    settings = Settings(prompt_tokens=500)
    text, shown = fit_episodes(ranked, FIXED_TEXT, settings)
    assert 0 < len(shown) < len(ranked)
    assert shown == ranked[: len(shown)]
    assert all(each.query.strip() in text for each in shown)
    assert estimate_tokens(FIXED_TEXT + text) <= 500 + 10  # the marks around them come on top


def test_a_fixed_text_that_is_too_long_leaves_no_room_for_episodes() -> None:
    settings = Settings(prompt_tokens=500)
    fixed_text = FIXED_TEXT * 50
    assert remaining_tokens(fixed_text, settings) < 0
    assert fit_episodes([episode("question")], fixed_text, settings)[1] == []


def test_the_current_turn_always_stands_in_the_prompt() -> None:
    earlier: list[AnyMessage] = [HumanMessage("early " * 100), AIMessage("old " * 100)]
    turn: list[AnyMessage] = [HumanMessage("now " * 100), AIMessage("tool call")]
    assert fit_messages([*earlier, *turn], 1) == turn
    assert fit_messages([*earlier, *turn], 1000) == [*earlier, *turn]


def test_the_history_begins_with_a_message_of_the_user() -> None:
    history: list[AnyMessage] = [HumanMessage("early " * 100), AIMessage("a short answer")]
    question = HumanMessage("and now?")
    assert fit_messages([*history, question], 20) == [question]


def whole_prompt(
    settings: Settings,
    *,
    rules: int = 2,
    tasks: int = 0,
    statements: int = 0,
    episodes: int = 0,
    instructions: str = "",
    word: str = "walk ",
) -> str:
    """The system message as the model is sent it."""
    written = word * 20
    persona = Persona(
        version=1,
        rules=[
            Rule(id=f"r{n}", text=f"rule {n} {written}", locked=n == rules)
            for n in range(rules + 1)
        ],
        author="user",
    )
    profile = Profile(
        facts=[TaskFacts(task=f"task {n}", count=9, labels={written: 9}) for n in range(tasks)],
        summary=[
            Statement(id=f"s{n}", text=f"statement {n} {written}", evidence=["e"])
            for n in range(statements)
        ],
    )
    recalled = [episode(f"e{n}", f"question {n} {written}") for n in range(episodes)]
    prompt, _ = system_prompt(
        persona, profile, recalled, settings, at=START, zone=UTC, instructions=instructions
    )
    told = fit_instructions(instructions, prompt, settings)
    return f"{prompt}\n\n{render('application', instructions=told)}" if told else prompt


FULL = {"rules": 600, "tasks": 200, "statements": 200, "episodes": 100}


@pytest.mark.parametrize("client", ["", "Be kind. ", "Be kind. " * 10_000, "親切に。" * 5_000])
@pytest.mark.parametrize("word", ["walk ", "прогулка ", "散歩"])
@pytest.mark.parametrize(
    "much",
    [{}, FULL, *({name: FULL[name]} for name in FULL)],
    ids=["nothing", "everything", *FULL],
)
@pytest.mark.parametrize("prompt_tokens", [800, 1500, 4000])
def test_all_that_stands_in_the_system_prompt_fits_into_its_budget(
    prompt_tokens: int, much: dict[str, int], word: str, client: str
) -> None:
    settings = Settings(prompt_tokens=prompt_tokens)
    told = whole_prompt(settings, instructions=client, word=word, **much)
    assert estimate_tokens(told) <= prompt_tokens + 10  # the marks around memories come on top
    assert f"rule {much.get('rules', 2)} " in told, "a locked rule stands first of all"
    assert not client or client[:5] in told


def test_what_fits_is_left_as_it_is() -> None:
    client = "Answer in the tone of a harbour master. " * 10
    told = whole_prompt(Settings(), rules=8, tasks=2, statements=3, episodes=1, instructions=client)
    assert client.strip() in told
    for part in ("rule 0 ", "rule 8 ", "task 1", "statement 2 ", "question 0 "):
        assert part in told


def test_beside_a_long_message_of_the_client_persona_and_memories_still_stand() -> None:
    told = whole_prompt(Settings(), statements=40, episodes=8, instructions="Be brief. " * 5_000)
    for part in ("rule 0 ", "rule 2 ", "statement ", "Be brief."):
        assert part in told
