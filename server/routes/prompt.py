"""``/me/prompt``: the system prompt that the model reads."""

from fastapi import APIRouter
from pydantic import Field

from personaagent.core.records import Record
from personaagent.nodes.agent.shown_prompt import ShownPrompt, shown_prompt
from personaagent.server.dependencies import CurrentUserMemory, ServerDependencies

router = APIRouter(prefix="/me/prompt", tags=["persona"])


class PromptRequest(Record):
    """A question, its task if it has one, and the user's time zone (default: the setting)."""

    text: str = Field("", description="Empty: the prompt without any episode.")
    task: str | None = Field(None, min_length=1, max_length=100)
    timezone: str | None = Field(None, max_length=100)


@router.post("")
async def show_prompt(
    asked: PromptRequest, memory: CurrentUserMemory, deps: ServerDependencies
) -> ShownPrompt:
    """The very system prompt that a question would be asked with; it is not asked."""
    return await shown_prompt(deps, memory, asked.text, asked.task, asked.timezone)
