"""Memory as text in a prompt: fenced, because it is data."""

from collections.abc import Sequence

from personaagent.core.records import Episode, Statement
from personaagent.core.text import shorten, shorten_middle
from personaagent.core.tokens import estimate_tokens
from personaagent.prompts.fence import fence

EPISODE_CHARS = 1200
MIN_EPISODE_CHARS = 80
FRAME_CHARS = 90
"""About the length of what surrounds the two texts of an episode."""


def format_episode(episode: Episode, max_chars: int = EPISODE_CHARS) -> str:
    """One episode: what the user asked, and what they wanted or else what was answered.

    Each of the two texts is cut at half of ``max_chars``.
    """
    lines = [f"the user: {shorten_middle(episode.query, max_chars // 2)}"]
    if episode.ground_truth is not None:
        lines.append(f"what the user wanted: {shorten(episode.ground_truth, max_chars // 2)}")
    elif episode.response:
        rejected = " (the user rejected this)" if episode.signal == "reject" else ""
        lines.append(f"answered{rejected}: {shorten(episode.response, max_chars // 2)}")
    attributes = {"date": f"{episode.created_at:%Y-%m-%d}"}
    if episode.task:
        attributes["task"] = episode.task
    return fence("episode", "\n".join(lines), **attributes)


def format_episodes(episodes: Sequence[Episode], max_tokens: int) -> tuple[str, int]:
    """As many of ``episodes`` (best first) as fit into ``max_tokens``, newest last.

    From the first that does not fit, all are left out.

    Returns:
        The text, and how many episodes were left out.
    """
    fitting: list[Episode] = []
    for episode in episodes:
        max_tokens -= estimate_tokens(format_episode(episode))
        if max_tokens < 0:
            break
        fitting.append(episode)
    by_age = sorted(fitting, key=lambda episode: episode.created_at)
    text = fence_all("memories", [format_episode(episode) for episode in by_age])
    return text, len(episodes) - len(fitting)


def format_within(episodes: Sequence[Episode], max_chars: int) -> str:
    """The episodes, best first, each cut to its share of ``max_chars``; the rest is left out."""
    share = max(max_chars // max(len(episodes), 1) - FRAME_CHARS, MIN_EPISODE_CHARS)
    text = ""
    for episode in episodes:
        longer = f"{text}\n{format_episode(episode, share)}".lstrip()
        if len(longer) > max_chars:
            break
        text = longer
    return text


def fence_all(tag: str, fenced: Sequence[str]) -> str:
    """Texts that are fenced already, inside ``<tag>`` and ``</tag>``."""
    return "\n".join([f"<{tag}>", *(fenced or ["(none)"]), f"</{tag}>"])


def format_summary(statements: Sequence[Statement]) -> str:
    """The profile summary, one line for each statement."""
    return fence(
        "summary", "\n".join(f"- {statement.text}" for statement in statements) or "(none)"
    )
