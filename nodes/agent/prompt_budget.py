"""How the prompt stays within its budget of tokens.

The system prompt has ``prompt_tokens``. Its fixed text, the persona and the date always stand in it,
and as many statements of the profile as fit into half of it. Recalled episodes share what remains:
the most similar come first, and the first that does not fit ends the list. The conversation has
``history_tokens`` of its own: the current turn always stands in the prompt, and before it as many of
the latest messages as fit. System messages of the client come on top, as long as one message may be.
"""

from collections.abc import Sequence
from datetime import tzinfo

from langchain_core.messages import AnyMessage, HumanMessage, trim_messages
from langchain_core.messages.utils import count_tokens_approximately

from personaagent.core.records import Episode, Profile, Statement
from personaagent.core.settings import Settings
from personaagent.core.text import shorten_middle
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.format import EPISODE_CHARS, format_episodes


def remaining_tokens(fixed_text: str, settings: Settings) -> int:
    """The tokens of the system prompt that ``fixed_text`` leaves; below 0 if it is too long."""
    return settings.prompt_tokens - estimate_tokens(fixed_text)


def fit_episodes(
    episodes: Sequence[Episode],
    fixed_text: str,
    settings: Settings,
    zone: tzinfo | None = None,
    max_chars: int = EPISODE_CHARS,
) -> tuple[str, list[Episode]]:
    """Format as many of ``episodes`` (best first) as fit beside ``fixed_text``, newest last.

    ``zone`` is the time zone of their days; None takes the setting. Each is cut at ``max_chars``.

    Returns:
        The text, and the episodes in it, best first.
    """
    remaining = remaining_tokens(fixed_text, settings)
    text, left_out = format_episodes(episodes, remaining, zone or settings.zone, max_chars)
    return text, [*episodes[: len(episodes) - left_out]]


def fit_statements(profile: Profile, settings: Settings) -> Profile:
    """The profile with the statements that fit into half of ``prompt_tokens``, in their order.

    Locked ones come first, then those that the user wrote, then the latest.
    """
    left = settings.prompt_tokens // 2
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


def fit_instructions(instructions: str, settings: Settings) -> str:
    """The client's system messages, cut in the middle if they are longer than a message may be."""
    return shorten_middle(instructions, settings.max_query_chars)


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
