"""``/me/persona``: the user's own system prompt, and its versions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from personaagent.core.records import Persona, Record
from personaagent.memory.persona_edits import (
    RULE_CHARS,
    Difference,
    difference,
    publish_edited,
    with_changes,
)
from personaagent.server.dependencies import CurrentUserMemory
from personaagent.server.errors import error_responses
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, decode_cursor, make_page

router = APIRouter(prefix="/me/persona", tags=["persona"])

Version = Annotated[int, Field(ge=1, le=999_999)]
RuleId = Annotated[str, Path(max_length=128, description="Id of the rule, as r2, or of weights.")]
RuleText = Annotated[str, Field(min_length=1, max_length=RULE_CHARS)]
MAX_CHANGES = 100


class Edit(Record):
    """What to change in the rules of ``version`` (default: the latest)."""

    add: list[RuleText] = Field(default_factory=list, max_length=MAX_CHANGES)
    replace: dict[str, RuleText] = Field(
        default_factory=dict, max_length=MAX_CHANGES, description="The new text of a rule, by id."
    )
    remove: list[str] = Field(default_factory=list, max_length=MAX_CHANGES)
    version: Version | None = None


class Rollback(Record):
    """The version whose rules come back."""

    version: Version


@router.get("")
async def show_persona(memory: CurrentUserMemory) -> Persona:
    """The current rules; before anything was learned, those that everybody begins with."""
    return await memory.personas.current()


@router.get("/versions")
async def history(
    memory: CurrentUserMemory, limit: Limit = 20, cursor: Cursor = None
) -> Page[Persona]:
    """All versions, newest first."""
    before = decode_cursor(cursor, int)
    versions = [
        persona
        for persona in await memory.personas.history()
        if before is None or persona.version < before
    ]
    return make_page(versions[::-1], limit, lambda persona: persona.version)


@router.get("/versions/{version}", responses=error_responses(404))
async def show_version(version: Annotated[Version, Path()], memory: CurrentUserMemory) -> Persona:
    """One version."""
    return await memory.personas.get(version)


@router.get("/diff", responses=error_responses(404))
async def diff(
    memory: CurrentUserMemory,
    before: Annotated[Version, Query()],
    after: Annotated[Version, Query()],
) -> Difference:
    """What changed between two versions, rule by rule and task by task."""
    return difference(await memory.personas.get(before), await memory.personas.get(after))


@router.post("/edits", responses=error_responses(404, 409))
async def edit(changes: Edit, memory: CurrentUserMemory) -> Persona:
    """Change the rules, as a new version; the latest version if nothing changes."""
    personas = memory.personas
    persona = await (
        personas.current() if changes.version is None else personas.get(changes.version)
    )
    rules = with_changes(
        persona,
        await personas.next_rule_id(),
        added=changes.add,
        replaced=[*changes.replace.items()],
        removed=changes.remove,
    )
    return await publish_edited(personas, persona, rules)


@router.put("/rules/{rule:path}/lock", responses=error_responses(404, 409))
async def lock(rule: RuleId, memory: CurrentUserMemory) -> Persona:
    """Lock a rule, or the weights of a task: nobody but the user changes them."""
    return await memory.personas.lock_rule(rule, locked=True)


@router.delete("/rules/{rule:path}/lock", responses=error_responses(404, 409))
async def unlock(rule: RuleId, memory: CurrentUserMemory) -> Persona:
    """Unlock a rule, or the weights of a task: alignment may change them again."""
    return await memory.personas.lock_rule(rule, locked=False)


@router.post("/rollback", responses=error_responses(404, 409))
async def roll_back(to: Rollback, memory: CurrentUserMemory) -> Persona:
    """Go back to the rules and weights of an earlier version, as a new version."""
    return await memory.personas.roll_back(to.version)
