"""The budget of the prompt: which episodes and which messages stand in it."""

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from personaagent.core.settings import Settings
from personaagent.core.tokens import estimate_tokens
from personaagent.nodes.agent.prompt_budget import fit_episodes, fit_messages, remaining_tokens
from tests.support.memories import episode

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
