"""What Claude's export says of its user: its memory, and the instructions of projects.

``memories.json`` has ``conversations_memory`` and ``project_memories``, one of them by each id;
``projects.json``, or a file for each project, has ``prompt_template`` and ``description``.
"""

from collections.abc import Iterator

from personaagent.core.text import shorten
from personaagent.memory.exchange.custom_instructions import Note
from personaagent.memory.exchange.json_values import Json, as_object, as_text
from personaagent.memory.exchange.moments import moment_of

NAME_CHARS = 60
NOTE_FIELDS = ("prompt_template", "conversations_memory")
NOTES = "memory or instructions of projects: `personaagent profile import` reads them"


def claude_notes(item: Json) -> Iterator[Note]:
    """The notes of an element of one of these files; none of anything else."""
    if "prompt_template" in item and not item.get("is_starter_project"):
        yield from _project(item)
    at = moment_of(item.get("updated_at"))
    yield Note(as_text(item.get("conversations_memory")), at=at)
    for text in as_object(item.get("project_memories")).values():
        yield Note(as_text(text), at=at)


def _project(project: Json) -> Iterator[Note]:
    name = shorten(" ".join(as_text(project.get("name")).split()), NAME_CHARS)
    at = moment_of(project.get("updated_at")) or moment_of(project.get("created_at"))
    yield Note(as_text(project.get("description")), f"Project {name}: ", at)
    wishes = f"How the user wants answers in the project {name}: "
    yield Note(as_text(project.get("prompt_template")), wishes, at)
