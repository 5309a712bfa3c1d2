"""Earlier choices as lines of a prompt: what each was about, and what the user wanted."""

from collections.abc import Sequence
from datetime import tzinfo

from personaagent.core.calendar import day_in
from personaagent.core.records import Episode
from personaagent.core.text import ELLIPSIS, shorten
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.format import cut_texts, fence_all, oldest_first
from personaagent.memory.told_once import ToldOnce, only_differing, told_once
from personaagent.prompts.fence import fence, harmless

HEAD = "Asked before, and what the user wanted, newest last:"
_QUESTION = "question"


def format_choices(
    episodes: Sequence[Episode], query: str, max_tokens: int, max_chars: int, zone: tzinfo
) -> tuple[str, int]:
    """As many of ``episodes`` (best first) as fit into ``max_tokens``, a line each, newest last.

    A request that several share is shown once, and not at all where ``query`` makes it itself. An
    answer that the user did not confirm is left out. Each query is cut at half of ``max_chars``.

    Returns:
        The text, and how many episodes were left out.
    """
    question = Episode(id=_QUESTION, user_id=_QUESTION, query=query, response="")
    once = told_once([question, *episodes])
    count, shown_requests = 0, set[str]()
    for episode in episodes:
        requests = {*_requests([episode], once)} - shown_requests
        max_tokens -= sum(map(estimate_tokens, [_line(episode, once, max_chars, zone), *requests]))
        if max_tokens < 0:
            break
        shown_requests |= requests
        count += 1
    shown = oldest_first(episodes[:count])
    lines = [_line(episode, once, max_chars, zone) for episode in shown]
    head = [HEAD] if lines else []
    return fence_all("memories", [*_requests(shown, once), *head, *lines]), len(episodes) - count


def _requests(episodes: Sequence[Episode], once: ToldOnce) -> list[str]:
    """The requests that these episodes share, but the question does not make itself."""
    own = once.differs.get(_QUESTION)
    of_others = {
        name: text for name, text in once.of(episodes).items() if own is None or name != own.name
    }
    return [fence("request", text) for text in of_others.values()]


def _line(episode: Episode, once: ToldOnce, max_chars: int, zone: tzinfo) -> str:
    """``- 2024-05-01: A heist goes wrong. -> comedy``; without a label, what was asked alone."""
    differs = once.differs.get(episode.id)
    query, _ = cut_texts(only_differing(episode, differs) if differs else episode, max_chars)
    text = " ".join(query.removeprefix(ELLIPSIS.lstrip()).removesuffix(ELLIPSIS).split())
    if episode.ground_truth is not None:
        text += f" -> {shorten(episode.ground_truth, max_chars // 2)}"
    if episode.superseded_by is not None:
        text += " (changed later)"
    return harmless(f"- {day_in(zone, episode.created_at)}: {text}")
