"""How the prompt stays within its budget of tokens.

The system prompt has ``prompt_tokens``, for all that is in it. Its fixed text and the date always
stand there. Of the room that they leave, a quarter is kept for the system messages of the client, if
there are any, and the rules of the persona take what they need of the rest. Then come the facts, more
of the client's messages, the statements of the profile (half of ``prompt_tokens`` at most), and last
the recalled episodes: the most similar come first, and the first that does not fit ends the list.
The conversation has ``history_tokens`` of its own: the current turn always stands in the prompt, and
before it as many of the latest messages as fit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from langchain_core.messages import AnyMessage, HumanMessage, trim_messages
from langchain_core.messages.utils import count_tokens_approximately

from personaagent.core.records import Episode, Persona, Profile, Rule, Statement, TaskFacts
from personaagent.core.settings import Settings
from personaagent.core.text import shorten_middle
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.facts import describe_facts
from personaagent.memory.format import format_episodes
from personaagent.prompts.render import render

Part = TypeVar("Part")


@dataclass(frozen=True)
class Fitting:
    """What of persona and profile stands in the prompt, and the tokens kept for the client."""

    persona: Persona
    profile: Profile
    for_client: int


def fit(
    persona: Persona, profile: Profile, fixed_text: str, instructions: str, settings: Settings
) -> Fitting:
    """Share the room that ``fixed_text`` leaves; ``instructions`` are the client's system messages.

    Whatever the fixed text takes, a quarter of ``prompt_tokens`` is room.
    """
    room = max(remaining_tokens(fixed_text, settings), settings.prompt_tokens // 4)
    shortened = shorten_middle(instructions, settings.max_query_chars)
    needed = _tokens_of_client(shortened) if shortened else 0
    least = min(needed, room // 4)
    rules, left = _fitting(_by_lock(persona.rules), room - least, _rule_line)
    facts: list[TaskFacts] = []
    if settings.show_facts:
        facts, left = _fitting(profile.facts, left, lambda task: describe_facts([task]))
    left += least
    for_client = min(needed, max(least, left // 2))
    rule_ids = {rule.id for rule in rules}
    return Fitting(
        persona.model_copy(update={"rules": [r for r in persona.rules if r.id in rule_ids]}),
        fit_statements(
            profile.model_copy(update={"facts": facts}), settings, max(0, left - for_client)
        ),
        for_client,
    )


def _by_lock(rules: Sequence[Rule]) -> list[Rule]:
    """Locked rules first, else in their order."""
    return sorted(rules, key=lambda rule: not rule.locked)


def _rule_line(rule: Rule) -> str:
    return f"- {' '.join(rule.text.split())}"


def _fitting(
    parts: Sequence[Part], room: int, written: Callable[[Part], str]
) -> tuple[list[Part], int]:
    """The first ``parts`` that fit into ``room`` tokens, and the tokens that are left."""
    fitting: list[Part] = []
    for part in parts:
        tokens = estimate_tokens(written(part) + "\n")
        if tokens > room:
            break
        fitting.append(part)
        room -= tokens
    return fitting, room


def remaining_tokens(fixed_text: str, settings: Settings) -> int:
    """The tokens of the system prompt that ``fixed_text`` leaves; below 0 if it is too long."""
    return settings.prompt_tokens - estimate_tokens(fixed_text)


def fit_episodes(
    episodes: Sequence[Episode],
    fixed_text: str,
    settings: Settings,
) -> tuple[str, list[Episode]]:
    """Format as many of ``episodes`` (best first) as fit beside ``fixed_text``, newest last.

    Returns:
        The text, and the episodes in it, best first.
    """
    room = remaining_tokens(fixed_text, settings)
    text, left_out = format_episodes(episodes, room, settings.zone)
    return text, [*episodes[: len(episodes) - left_out]]


def fit_statements(profile: Profile, settings: Settings, room: int | None = None) -> Profile:
    """The profile with the statements that fit into half of ``prompt_tokens``, and into ``room``
    tokens, in their order.

    Locked ones come first, then those that the user wrote, then the latest.
    """
    half = settings.prompt_tokens // 2
    left = half if room is None else min(half, room)
    chosen: set[str] = set()
    for statement in sorted(profile.summary, key=_importance, reverse=True):
        left -= estimate_tokens(f"- {statement.text}\n")
        if left < 0:
            break
        chosen.add(statement.text)
    fitting = [each for each in profile.summary if each.text in chosen]
    return profile.model_copy(update={"summary": fitting})


def _importance(statement: Statement) -> tuple[bool, bool, float]:
    changed = statement.changed_at.timestamp() if statement.changed_at else 0.0
    return statement.locked, statement.source == "user", changed


def fit_instructions(instructions: str, system_prompt: str, settings: Settings) -> str:
    """The client's system messages, as the prompt shows them; cut in the middle to the length of a
    message, and to the tokens that ``system_prompt`` leaves: those that ``fit`` kept, or more."""
    instructions = shorten_middle(instructions, settings.max_query_chars)
    tokens = remaining_tokens(system_prompt, settings)
    if not instructions or tokens >= _tokens_of_client(instructions):
        return instructions
    room = max(tokens, settings.prompt_tokens // 16) - _tokens_of_client("")
    return _cut(instructions, max(0, room))


def _cut(text: str, tokens: int) -> str:
    """``text``, cut in the middle to so many tokens, however many bytes its letters have."""
    chars = len(text)
    while chars > 16 and estimate_tokens(shorten_middle(text, chars)) > tokens:
        chars = chars * 3 // 4
    return shorten_middle(text, chars)


def _tokens_of_client(instructions: str) -> int:
    """As they stand in the prompt, with the words around them."""
    return estimate_tokens("\n\n" + render("application", instructions=instructions)) + 1


def fit_messages(messages: Sequence[AnyMessage], history_tokens: int) -> list[AnyMessage]:
    """The current turn, and before it the latest messages that fit into ``history_tokens``.

    The messages before the turn begin with one of the user's.
    """
    turn = max(i for i, message in enumerate(messages) if isinstance(message, HumanMessage))
    # LangChain's estimator also counts tool calls and roles, which ``estimate_tokens`` does not see.
    history: list[AnyMessage] = trim_messages(  # type: ignore[assignment]
        messages[:turn],
        max_tokens=history_tokens,
        token_counter=count_tokens_approximately,
        strategy="last",
        start_on="human",
    )
    return [*history, *messages[turn:]]
