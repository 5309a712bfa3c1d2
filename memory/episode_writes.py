"""What is written to the store for an episode."""

from uuid import uuid4

from personaagent.core.records import Episode
from personaagent.memory.pending import pending_write
from personaagent.memory.user_store import StoreWrite


def value_write(episode: Episode) -> StoreWrite:
    """Store the episode as it is now. Beside it stands what ``scan`` can select."""
    value = {"labelled": episode.labelled, "episode": episode.stored()}
    if episode.superseded_by is not None:
        value["superseded"] = True
    return ("episodes", episode.id, value)


def episode_writes(episode: Episode) -> list[StoreWrite]:
    """Store the episode, and who follows it; without a label, alignment has nothing to learn from it."""
    unaligned: StoreWrite = ("unaligned", episode.id, None)
    if episode.labelled:
        unaligned = pending_write("unaligned", episode)
    return [value_write(episode), pending_write("unsummarised", episode), unaligned]


def new_label_revision() -> StoreWrite:
    """Outdates what was computed from the labels, which carries the revision that it read."""
    return ("profile", "labels", {"revision": uuid4().hex})
