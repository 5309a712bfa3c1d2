"""What an archive holds, and where: a zip of JSON lines, with Markdown for a person to read.

``manifest.json`` says who, when and how much, and has the SHA-256 of every other member.
``episodes.jsonl`` is what `memory export` writes. The other ``*.jsonl`` hold the records of the
store, a key and a value a line. ``README.md``, ``persona.md`` and ``profile.md`` are only read by
people.
"""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field

from personaagent.core.records import Moment
from personaagent.memory.user_store import Namespace

FORMAT = 1
"""Raised when an older version could not read what a newer one writes."""
MANIFEST = "manifest.json"
EPISODES = "episodes.jsonl"
README, PERSONA, PROFILE = "README.md", "persona.md", "profile.md"

NOT_ARCHIVED: tuple[Namespace, ...] = (
    "episodes",  # has a member of its own
    "conversations",  # threads stay with their checkpoints
    "unindexed",  # every episode is indexed again
    "discarded",  # each episode says it itself
    "forgettings",  # what was forgotten on this machine; the tombstones go along
    "journal",  # what was done on this machine can be undone there
    "journal_parts",
    "simulations",  # a cache
    "spending",  # belongs to the machine that spent
    "costs",
    "preferences",  # what is paused here is not paused elsewhere
    "imports",  # what is under way here
    "index",  # names the embedding model of this machine
    "generation",  # belongs to the memory here, which a restore writes to
)
RECORDS: tuple[Namespace, ...] = tuple(
    namespace for namespace in get_args(Namespace) if namespace not in NOT_ARCHIVED
)
"""The namespaces whose records have a member each."""
CACHED_KEYS = {"profile": {"facts", "tallies", "labels", "instructions"}}
"""What is computed from the episodes, and computed anew after a restore."""

SETTINGS = (
    "recall_mode",
    "top_k",
    "prompt_tokens",
    "history_tokens",
    "show_facts",
    "show_summary",
    "summary_every",
    "timezone",
    "embeddings",
    "rerank_model",
)
"""The settings that shape a prompt: a restore says which of them differ."""


class Manifest(BaseModel):
    """The first thing to read of an archive; unknown fields are ignored.

    ``counts`` has the number of lines, ``sha256`` the hash, of each member by its name.
    """

    model_config = ConfigDict(frozen=True)

    format: int = Field(ge=1)
    version: str
    user: str
    created_at: Moment
    counts: dict[str, int]
    sha256: dict[str, str]
    settings: dict[str, Any] = Field(default_factory=dict)


def records_member(namespace: Namespace) -> str:
    """The name of the member that holds the records of ``namespace``."""
    return f"{namespace}.jsonl"


def members() -> set[str]:
    """The names of all members but the manifest."""
    return {EPISODES, README, PERSONA, PROFILE, *map(records_member, RECORDS)}
