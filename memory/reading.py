"""Reading on in a long episode, from a place that is written ``ID@OFFSET``."""

from datetime import UTC, tzinfo

from personaagent.core.calendar import day_in
from personaagent.core.records import Episode
from personaagent.memory.passages import nearest
from personaagent.prompts.fence import fence

ANSWERED = "\nanswered: "


def place_after_nearest(episode: Episode) -> str:
    """The place behind the passage that is nearest to the query."""
    part, _, end = nearest(episode) or ("query", 0, 0)
    return _place(episode, end if part == "query" else len(episode.query + ANSWERED) + end)


def parse_place(place: str) -> tuple[str, int]:
    """The id of the episode and the offset (characters) that ``place`` names.

    Raises:
        ValueError: it is no place.
    """
    id, _, offset = place.strip().rpartition("@")
    return id, int(offset)


def read_on(episode: Episode, offset: int, max_chars: int, zone: tzinfo = UTC) -> str:
    """Up to ``max_chars`` of the user's message from ``offset`` on, or of the answer if ``offset``
    stands in that; fenced, with the next place. An answer that the user corrected is left out."""
    start = max(offset, 0)
    text = episode.query
    if start > len(text) and episode.signal != "edit":
        text += ANSWERED + episode.response
    attributes = {"date": day_in(zone, episode.created_at)}
    if start + max_chars < len(text):
        attributes["rest"] = _place(episode, start + max_chars)
    return fence("episode", text[start : start + max_chars] or "(nothing more)", **attributes)


def _place(episode: Episode, offset: int) -> str:
    return f"{episode.id}@{offset}"
