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
from personaagent.server.errors import answers
from personaagent.server.limits import Limit
from personaagent.server.pagination import Cursor, Page, first_of, place_at

router = APIRouter(prefix="/me/persona", tags=["persona"])

Version = Annotated[int, Field(ge=1, le=999_999)]
RuleId = Annotated[str, Path(max_length=128, description="Id of the rule, as r2.")]
RuleText = Annotated[str, Field(min_length=1, max_length=RULE_CHARS)]
MOST_CHANGES = 100


class Edit(Record):
    """What to change in the rules; ``version`` is the one that was looked at (default: the latest)."""

    add: list[RuleText] = Field(default_factory=list, max_length=MOST_CHANGES)
    replace: dict[str, RuleText] = Field(
        default_factory=dict, max_length=MOST_CHANGES, description="The new text of a rule, by id."
    )
    remove: list[str] = Field(default_factory=list, max_length=MOST_CHANGES)
    version: Version | None = None


class Rollback(Record):
    """The version whose rules are wanted back."""

    version: Version


@router.get("")
async def show_persona(mine: CurrentUserMemory) -> Persona:
    """The rules as they are; before anything was learned, those that everybody begins with."""
    return await mine.personas.current()


@router.get("/versions")
async def history(
    mine: CurrentUserMemory, limit: Limit = 20, cursor: Cursor = None
) -> Page[Persona]:
    """All versions, newest first."""
    before = place_at(cursor, int)
    versions = [
        each for each in await mine.personas.history() if before is None or each.version < before
    ]
    return first_of(versions[::-1], limit, lambda each: each.version)


@router.get("/versions/{version}", responses=answers(404))
async def show_version(version: Annotated[Version, Path()], mine: CurrentUserMemory) -> Persona:
    """One version."""
    return await mine.personas.get(version)


@router.get("/diff", responses=answers(404))
async def diff(
    mine: CurrentUserMemory, before: Annotated[Version, Query()], after: Annotated[Version, Query()]
) -> Difference:
    """What changed between two versions, rule by rule."""
    return difference(await mine.personas.get(before), await mine.personas.get(after))


@router.post("/edits", responses=answers(404, 409))
async def edit(changes: Edit, mine: CurrentUserMemory) -> Persona:
    """Change the rules, as a new version; the latest itself where nothing is changed."""
    personas = mine.personas
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


@router.put("/rules/{rule}/lock", responses=answers(404, 409))
async def lock(rule: RuleId, mine: CurrentUserMemory) -> Persona:
    """Lock a rule: nobody but the user changes it."""
    return await mine.personas.lock_rule(rule, locked=True)


@router.delete("/rules/{rule}/lock", responses=answers(404, 409))
async def unlock(rule: RuleId, mine: CurrentUserMemory) -> Persona:
    """Unlock a rule: it may be learned anew."""
    return await mine.personas.lock_rule(rule, locked=False)


@router.post("/rollback", responses=answers(404, 409))
async def roll_back(to: Rollback, mine: CurrentUserMemory) -> Persona:
    """Go back to the rules of an earlier version, as a new version."""
    return await mine.personas.roll_back(to.version)
