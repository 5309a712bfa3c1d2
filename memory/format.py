"""Memory as text in a prompt: fenced, because it is data."""

from collections.abc import Collection, Sequence
from datetime import UTC, tzinfo

from personaagent.core.calendar import day_in
from personaagent.core.records import Episode, Statement
from personaagent.core.text import shorten, shorten_around, shorten_middle
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.passages import nearest
from personaagent.memory.reading import place_after_nearest
from personaagent.memory.told_once import (
    NOTHING_SHARED,
    Differs,
    ToldOnce,
    only_differing,
    told_once,
)
from personaagent.prompts.fence import fence

EPISODE_CHARS = 1200
MIN_EPISODE_CHARS = 80
FRAME_CHARS = 90
"""About the length of what surrounds the two texts of an episode."""


def format_episode(
    episode: Episode,
    max_chars: int = EPISODE_CHARS,
    *,
    zone: tzinfo = UTC,
    successor: Episode | None = None,
    differs: Differs | None = None,
) -> str:
    """One episode: its day in ``zone``, what the user said, and what they wanted or else what was
    answered.

    Each of the two texts is cut at half of ``max_chars``; if the passage nearest to the query stands
    in one of them, that one shows it, at three quarters, and ``rest`` says where to read on.
    ``successor`` is the episode that supersedes it, ``zone`` the user's time zone. Where the query
    shares a request with others, only what ``differs`` is shown.
    """
    shown = only_differing(episode, differs) if differs else episode
    query, response = cut_texts(shown, max_chars)
    lines = [f"the user: {query}"]
    if episode.ground_truth is not None:
        lines.append(f"right answer: {shorten(episode.ground_truth, max_chars // 2)}")
    elif episode.response:
        lines.append(f"{_answered(episode)}: {response}")
    attributes = {"date": day_in(zone, episode.created_at)}
    if successor is not None:
        attributes["superseded"] = day_in(zone, successor.created_at)
    if episode.task:
        attributes["task"] = episode.task
    if differs:
        attributes["request"] = differs.name
    if nearest(episode) and (query, response) != (shown.query, shown.response):
        attributes["rest"] = place_after_nearest(episode)
    return fence("episode", "\n".join(lines), **attributes)


def format_episodes(
    episodes: Sequence[Episode],
    max_tokens: int,
    zone: tzinfo = UTC,
    max_chars: int = EPISODE_CHARS,
) -> tuple[str, int]:
    """As many of ``episodes`` (best first) as fit into ``max_tokens``, newest last.

    Each is cut at ``max_chars``. From the first that does not fit, all are left out. A request that
    several share is told once, before them.

    Returns:
        The text, and how many episodes were left out.
    """
    once, told, count = told_once(episodes), set[str](), 0
    formatted = _format_all(episodes, zone, max_chars, once)
    for episode, text in zip(episodes, formatted, strict=True):
        requests = {*_requests([episode], once)} - told
        max_tokens -= sum(map(estimate_tokens, [text, *requests]))
        if max_tokens < 0:
            break
        told |= requests
        count += 1
    shown = episodes[:count]
    if count < len(episodes):  # a successor may be among those that are left out
        formatted = _format_all(shown, zone, max_chars, once)
    in_order = sorted(zip(shown, formatted, strict=True), key=lambda pair: pair[0].created_at)
    told_first = _requests([episode for episode, _ in in_order], once)
    texts = [*told_first, *(text for _, text in in_order)]
    return fence_all("memories", texts), len(episodes) - count


def format_within(episodes: Sequence[Episode], max_chars: int, zone: tzinfo = UTC) -> str:
    """As many of ``episodes`` (best first) as fit into ``max_chars``, newest last.

    Each is cut to its share of the characters.
    """
    share = max(max_chars // max(len(episodes), 1) - FRAME_CHARS, MIN_EPISODE_CHARS)
    count = 0
    for text in _format_all(episodes, zone, share):
        max_chars -= len(text) + 1
        if max_chars < -1:
            break
        count += 1
    return "\n".join(_format_all(oldest_first(episodes[:count]), zone, share))


def fence_all(tag: str, fenced: Sequence[str]) -> str:
    """Texts that are fenced already, inside ``<tag>`` and ``</tag>``."""
    return "\n".join([f"<{tag}>", *(fenced or ["(none)"]), f"</{tag}>"])


def format_summary(statements: Sequence[Statement]) -> str:
    """The profile's statements, one a line, newest last."""
    in_order = sorted(statements, key=lambda each: each.at.timestamp() if each.at else 0)
    return fence("summary", "\n".join(f"- {each.text}" for each in in_order) or "(none)")


def _requests(episodes: Sequence[Episode], once: ToldOnce) -> list[str]:
    """The requests that these episodes share, each in a fence of its own."""
    return [fence("request", text, name=name) for name, text in once.of(episodes).items()]


def _format_all(
    episodes: Collection[Episode],
    zone: tzinfo,
    max_chars: int = EPISODE_CHARS,
    once: ToldOnce = NOTHING_SHARED,
) -> list[str]:
    """Each of the episodes; one is shown as superseded if its successor is among them."""
    by_id = {episode.id: episode for episode in episodes}
    return [
        format_episode(
            episode,
            max_chars,
            zone=zone,
            successor=by_id.get(episode.superseded_by or ""),
            differs=once.differs.get(episode.id),
        )
        for episode in episodes
    ]


def cut_texts(episode: Episode, max_chars: int) -> tuple[str, str]:
    """Query and response of the episode, short enough."""
    half, most, least = max_chars // 2, 3 * max_chars // 4, max_chars // 4
    match nearest(episode):
        case ("query", start, end):
            return shorten_around(episode.query, most, start, end), shorten(episode.response, least)
        case ("response", start, end):
            query = shorten_middle(episode.query, least)
            return query, shorten_around(episode.response, most, start, end)
    return shorten_middle(episode.query, half), shorten(episode.response, half)


def oldest_first(episodes: Collection[Episode]) -> list[Episode]:
    """The episodes in the order in which they happened."""
    return sorted(episodes, key=lambda episode: episode.created_at)


def _answered(episode: Episode) -> str:
    """Whose answer it is that the user did not confirm, and what they said to it."""
    who = "you" if episode.source == "agent" else "an assistant"
    rejected = episode.signal == "reject"
    return f"{who} answered{', and the user rejected it' if rejected else ', unconfirmed'}"
