"""The judge: a model scores free texts, which no exact score can compare."""

from zlib import crc32

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, Field

from personaagent.core.audience import audience_message
from personaagent.core.errors import UnusableAnswer
from personaagent.core.records import RoleUsage
from personaagent.core.text import shorten, shorten_middle
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

BEST = 4
ANSWER_CHARS = 2000
"""Of each of the three texts."""
WHY_CHARS = 160


class _Verdict(BaseModel):
    """``why`` comes first, so that the model gives its reason before the score."""

    why: str = Field(json_schema_extra={"maxLength": WHY_CHARS})
    score: int = Field(ge=0, le=BEST)


async def judge(
    model: BaseChatModel, *, query: str, expected: str, simulated: str | None, seed: int
) -> tuple[float | None, str, RoleUsage]:
    """How well ``simulated`` agrees with ``expected``, by the rubric of ``prompts/judge.md``.

    The model does not know which text is which: ``seed`` and ``query`` decide which comes first. A
    reply that is malformed or out of range leaves the answer *unscored*. Empty and equal texts need
    no model.

    Returns:
        The score in [0, 1] or None, the reason in one line, and the critic's calls and tokens.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    if not (simulated or "").strip():
        return None, "nothing was simulated", RoleUsage()
    assert simulated is not None
    if simulated.split() == expected.split():
        return 1.0, "the same text", RoleUsage()
    swapped = crc32(f"{seed} {query}".encode()) % 2
    first, second = (simulated, expected) if swapped else (expected, simulated)
    prompt = render(
        "judge",
        query=fence("query", shorten_middle(query, ANSWER_CHARS)),
        first=fence("first", shorten(first, ANSWER_CHARS)),
        second=fence("second", shorten(second, ANSWER_CHARS)),
    )
    try:
        verdict, usage = await invoke_structured(
            model, [HumanMessage(prompt)], _Verdict, role="critic"
        )
    except UnusableAnswer as error:  # the call was made, but its tokens are not known
        return None, f"not judged: {audience_message(error)}", RoleUsage(llm_calls=1)
    return verdict.score / BEST, shorten(" ".join(verdict.why.split()), WHY_CHARS), usage
