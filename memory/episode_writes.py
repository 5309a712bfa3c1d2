"""What is written to the store for an episode."""

from uuid import uuid4

from personaagent.core.records import Episode
from personaagent.memory.pending import pending_write
from personaagent.memory.user_store import Namespace, StoreWrite


def value_write(episode: Episode) -> StoreWrite:
    """Store the episode as it is now. Beside it stands what ``scan`` can select."""
    value = {"labelled": episode.labelled, "episode": episode.stored()}
    if episode.superseded_by is not None:
        value["superseded"] = True
    if episode.irrelevant_to:
        value["marked"] = True
    return ("episodes", episode.id, value)


def episode_writes(episode: Episode) -> list[StoreWrite]:
    """Store the episode, and who follows it; without a label, alignment has nothing to learn from it,
    and of a discarded one nobody has."""
    if episode.discarded:
        followers: tuple[Namespace, ...] = ("unsummarised", "unaligned")
        nobody: list[StoreWrite] = [(namespace, episode.id, None) for namespace in followers]
        return [value_write(episode), *discarded_writes(episode), *nobody]
    unaligned: StoreWrite = ("unaligned", episode.id, None)
    if episode.labelled:
        unaligned = pending_write("unaligned", episode)
    return [value_write(episode), pending_write("unsummarised", episode), unaligned]


def discarded_writes(episode: Episode) -> list[StoreWrite]:
    """What finds the episode among all, if it is discarded."""
    return [("discarded", episode.id, {})] if episode.discarded else []


def standing_again_writes(episode: Episode) -> list[StoreWrite]:
    """Store an episode that is no longer discarded."""
    return [*episode_writes(episode), ("discarded", episode.id, None)]


def new_label_revision() -> StoreWrite:
    """Outdates what was computed from the labels, which carries the revision that it read."""
    return ("profile", "labels", {"revision": uuid4().hex})
