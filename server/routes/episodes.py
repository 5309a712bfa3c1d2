"""``/me/episodes``: what is remembered of the user, one by one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, AwareDatetime, Field

from personaagent.core.records import Episode, Record
from personaagent.core.text import check_text
from personaagent.memory.derived import Derived
from personaagent.memory.episodes import TRUTH_CHARS, time_key
from personaagent.memory.forget import Receipt
from personaagent.memory.forget_preview import ForgetPreview, preview_forgetting
from personaagent.memory.recall import SEARCH_CHARS
from personaagent.memory.relevance_marks import QUESTION_CHARS
from personaagent.server.alignment_queue import queue_alignment_if_due, tell_missing_labels
from personaagent.server.dependencies import CurrentUserMemory, InternalClient, ServerDependencies
from personaagent.server.errors import error_responses
from personaagent.server.forgetting import forget_episode
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, decode_cursor, make_page

router = APIRouter(prefix="/me/episodes", tags=["episodes"])

MOST_FOUND = 100

EpisodeId = Annotated[
    str,
    Path(min_length=1, max_length=128, description="Id of the episode."),
    AfterValidator(lambda id: check_text(id, "episode id", 128)),
]

DerivedAnswers = Annotated[
    Derived, Query(description="What becomes of answers that were drawn from it.")
]


class SearchRequest(Record):
    """A text, and how many of the nearest episodes to return (default: the setting).

    Optionally only those of a task, from a source, with what the user wanted, from ``since`` on, or
    before ``until``: of the 100 that are nearest.
    """

    text: str = Field(min_length=1, max_length=SEARCH_CHARS)
    top_k: int | None = Field(None, ge=1, le=MOST_FOUND)
    task: str | None = Field(None, max_length=100)
    source: str | None = Field(None, max_length=100)
    labelled: bool = False
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @property
    def has_filter(self) -> bool:
        """Whether some episodes do not pass."""
        conditions = (self.task, self.source, self.since, self.until)
        return self.labelled or any(each is not None for each in conditions)

    def passes(self, episode: Episode) -> bool:
        """Whether the episode is one of those asked for."""
        return (
            (self.task is None or episode.task == self.task)
            and (self.source is None or episode.source == self.source)
            and (episode.labelled or not self.labelled)
            and (self.since is None or episode.created_at >= self.since)
            and (self.until is None or episode.created_at < self.until)
        )


class Correction(Record):
    """The text that the user wanted instead of the answer."""

    signal: Literal["edit"]
    text: str = Field(min_length=1, max_length=TRUTH_CHARS)
    force: Literal[False] = False


class Judgement(Record):
    """The answer was right (``accept``) or wrong (``reject``).

    ``force`` drops a correction that was given before. Without it, an ``accept`` accepts the
    correction, and a ``reject`` ends with 409.
    """

    signal: Literal["accept", "reject"]
    text: None = None
    force: bool = False


class Relevance(Record):
    """Whether the episode bears on a question: false, if it did not help to answer it."""

    question: str = Field(min_length=1, max_length=QUESTION_CHARS)
    relevant: bool = False


class Superseded(Record):
    """The id of the episode that replaces another; null: the other stands again."""

    by: str | None = Field(min_length=1, max_length=128)


Feedback = Annotated[Correction | Judgement, Field(discriminator="signal")]


@router.get("")
async def list_episodes(
    memory: CurrentUserMemory,
    limit: Limit = 20,
    cursor: Cursor = None,
    task: Annotated[str | None, Query(max_length=100, description="Only those of it.")] = None,
    labelled: Annotated[bool, Query(description="Only those with what the user wanted.")] = False,
    source: Annotated[str | None, Query(max_length=100, description="Only those from it.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Only those from then on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Only those before then.")] = None,
) -> Page[Episode]:
    """The episodes, newest first."""
    ends = [decode_cursor(cursor, tuple[AwareDatetime, str]), until and (until, "")]
    episodes = await memory.episodes.newest(
        limit + 1,
        task=task,
        labelled=labelled,
        source=source,
        since=since,
        before=min(filter(None, ends), default=None),
    )
    return make_page(episodes, limit, time_key)


@router.post("/search")
async def search(
    request: SearchRequest, memory: CurrentUserMemory, deps: ServerDependencies
) -> list[Episode]:
    """What the agent would recall for a text, the nearest first."""
    most = request.top_k or deps.settings.top_k
    nearest = await memory.search(request.text, MOST_FOUND if request.has_filter else most)
    return [*filter(request.passes, nearest)][:most]


@router.put("/{episode:path}/feedback", responses=error_responses(404, 409))
async def give_feedback(
    episode: EpisodeId,
    feedback: Feedback,
    memory: CurrentUserMemory,
    deps: ServerDependencies,
    api: InternalClient,
) -> Episode:
    """Say whether an answer was right, or what was wanted; queues an alignment when one is due."""
    labelled = await memory.episodes.give_feedback(
        episode, feedback.signal, feedback.text, force=feedback.force
    )
    await queue_alignment_if_due(api, memory, deps.settings)
    if feedback.signal != "reject":
        await tell_missing_labels(memory, deps.settings)
    return labelled


@router.put("/{episode:path}/relevance", responses=error_responses(404))
async def say_relevance(
    episode: EpisodeId, relevance: Relevance, memory: CurrentUserMemory
) -> Episode:
    """Say that an episode did not bear on a question, or that it does after all.

    It is not recalled for questions like this one then; nothing else changes.
    """
    return await memory.marks.mark(episode, relevance.question, relevant=relevance.relevant)


@router.put("/{episode:path}/superseded", responses=error_responses(404))
async def supersede(episode: EpisodeId, link: Superseded, memory: CurrentUserMemory) -> Episode:
    """Say that another episode replaces this one, which is then outranked; or take that back."""
    return await memory.episodes.supersede(episode, link.by)


@router.put("/{episode:path}/kept", responses=error_responses(404))
async def keep(episode: EpisodeId, memory: CurrentUserMemory) -> Episode:
    """Let an episode stand that was discarded when its message was edited or answered again."""
    return await memory.keep(episode)


@router.get("/{episode:path}/forgetting", responses=error_responses(404))
async def show_forgetting(
    episode: EpisodeId, memory: CurrentUserMemory, derived: DerivedAnswers = "blank"
) -> ForgetPreview:
    """What forgetting an episode would take along, and what rests on it; nothing is forgotten."""
    return await preview_forgetting(memory, episode, derived)


@router.get("/{episode:path}", responses=error_responses(404))
async def show_episode(episode: EpisodeId, memory: CurrentUserMemory) -> Episode:
    """One episode."""
    return await memory.episodes.get(episode)


@router.delete("/{episode:path}", responses=error_responses(404))
async def forget(
    episode: EpisodeId,
    memory: CurrentUserMemory,
    api: InternalClient,
    derived: DerivedAnswers = "blank",
) -> Receipt:
    """Forget an episode, with all that rested on it alone; the receipt says what is gone."""
    return await forget_episode(memory, api, episode, derived)
