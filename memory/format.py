"""How memory stands in a prompt: fenced, as data."""

from collections.abc import Sequence

from personaagent.core.records import Episode, Statement
from personaagent.core.text import shorten, shorten_middle
from personaagent.core.tokens import estimate_tokens
from personaagent.prompts.fence import fence

EPISODE_CHARS = 1200
SHORTEST_CHARS = 80
FRAME_CHARS = 90
"""About what stands around the two texts of an episode."""


def show_episode(episode: Episode, most_chars: int = EPISODE_CHARS) -> str:
    """One episode: what the user asked, and what they wanted or else what was answered.

    Each of the two texts is cut at half of ``most_chars``.
    """
    lines = [f"the user: {shorten_middle(episode.query, most_chars // 2)}"]
    if episode.ground_truth is not None:
        lines.append(f"what the user wanted: {shorten(episode.ground_truth, most_chars // 2)}")
    elif episode.response:
        judged = " (the user rejected this)" if episode.signal == "reject" else ""
        lines.append(f"answered{judged}: {shorten(episode.response, most_chars // 2)}")
    about = {"date": f"{episode.created_at:%Y-%m-%d}"}
    return fence(
        "episode", "\n".join(lines), **about | ({"task": episode.task} if episode.task else {})
    )


def show_episodes(episodes: Sequence[Episode], most_tokens: int) -> tuple[str, int]:
    """As many of ``episodes`` (best first) as fit into ``most_tokens``, newest last.

    What does not fit goes from the least similar on.

    Returns:
        The text, and how many episodes were left out.
    """
    kept: list[Episode] = []
    for episode in episodes:
        most_tokens -= estimate_tokens(show_episode(episode))
        if most_tokens < 0:
            break
        kept.append(episode)
    shown = [show_episode(each) for each in sorted(kept, key=lambda each: each.created_at)]
    text = fence_all("memories", shown)
    return text, len(episodes) - len(kept)


def show_within(episodes: Sequence[Episode], most_chars: int) -> str:
    """The episodes, best first, each with its share of ``most_chars``; what does not fit is left out."""
    share = max(most_chars // max(len(episodes), 1) - FRAME_CHARS, SHORTEST_CHARS)
    shown = ""
    for episode in episodes:
        longer = f"{shown}\n{show_episode(episode, share)}".lstrip()
        if len(longer) > most_chars:
            break
        shown = longer
    return shown


def fence_all(tag: str, fenced: Sequence[str]) -> str:
    """Texts that are fenced already, between the marks of ``tag``."""
    return "\n".join([f"<{tag}>", *(fenced or ["(none)"]), f"</{tag}>"])


def show_summary(statements: Sequence[Statement]) -> str:
    """The profile summary, a line a statement."""
    return fence("summary", "\n".join(f"- {each.text}" for each in statements) or "(none)")
