"""``/me/episodes``: what is remembered of the user, one by one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, AwareDatetime, Field

from personaagent.core.records import Episode, Record
from personaagent.core.text import check_text
from personaagent.memory.episodes import TRUTH_CHARS, time_key
from personaagent.memory.forget import Receipt
from personaagent.memory.recall import SEARCH_CHARS
from personaagent.server.alignment_queue import queue_alignment_if_due
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.errors import answers
from personaagent.server.forgetting import forget_episode
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, first_of, place_at

router = APIRouter(prefix="/me/episodes", tags=["episodes"])

EpisodeId = Annotated[
    str,
    Path(min_length=1, max_length=128, description="Id of the episode."),
    AfterValidator(lambda id: check_text(id, "episode id", 128)),
]


class Search(Record):
    """A text, and how many of the episodes nearest to it are wanted (default: the setting)."""

    text: str = Field(min_length=1, max_length=SEARCH_CHARS)
    top_k: int | None = Field(None, ge=1, le=100)


class Wanted(Record):
    """The text that the user wanted in place of the answer."""

    signal: Literal["edit"]
    text: str = Field(min_length=1, max_length=TRUTH_CHARS)


class Judged(Record):
    """The answer was right (``accept``), or it was wrong."""

    signal: Literal["accept", "reject"]
    text: None = None


Feedback = Annotated[Wanted | Judged, Field(discriminator="signal")]


@router.get("")
async def list_episodes(
    mine: CurrentUserMemory,
    limit: Limit = 20,
    cursor: Cursor = None,
    task: Annotated[str | None, Query(max_length=100, description="Only those of it.")] = None,
    labelled: Annotated[bool, Query(description="Only those with what the user wanted.")] = False,
) -> Page[Episode]:
    """The episodes, newest first."""
    found = await mine.episodes.newest(
        limit + 1,
        task=task,
        labelled=labelled,
        before=place_at(cursor, tuple[AwareDatetime, str]),
    )
    return first_of(found, limit, time_key)


@router.post("/search")
async def search(
    sought: Search, mine: CurrentUserMemory, deps: ServerDependencies
) -> list[Episode]:
    """What the agent would recall for a text, the nearest first."""
    return await mine.look_up(sought.text, sought.top_k or deps.settings.top_k)


@router.put("/{episode:path}/feedback", responses=answers(404))
async def give_feedback(
    episode: EpisodeId,
    word: Feedback,
    mine: CurrentUserMemory,
    deps: ServerDependencies,
    api: InternalClient,
) -> Episode:
    """Say whether an answer was right, or what was wanted; an alignment begins when one is due."""
    told = await mine.episodes.give_feedback(episode, word.signal, word.text)
    await queue_alignment_if_due(api, mine, deps.settings)
    return told


@router.get("/{episode:path}", responses=answers(404))
async def show_episode(episode: EpisodeId, mine: CurrentUserMemory) -> Episode:
    """One episode whole."""
    return await mine.episodes.get(episode)


@router.delete("/{episode:path}", responses=answers(404))
async def forget(episode: EpisodeId, mine: CurrentUserMemory, api: InternalClient) -> Receipt:
    """Forget an episode, with all that rested on it alone, and say what went."""
    return await forget_episode(mine, api, episode)
