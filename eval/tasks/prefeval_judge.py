"""PrefEval's judge: which of four errors an answer makes, if any."""

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, Field

from personaagent.core.records import RoleUsage
from personaagent.core.text import shorten
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

SHOWN_CHARS = 4000
ERRORS = ("unaware", "hallucination", "inconsistent", "unhelpful")
"""As the authors tell them apart: each answer makes one of them at most, or *follows*.

``unhelpful``: it answers nothing. Else, where it goes against the preference: ``unaware`` of any,
by ``hallucination`` of another one, or ``inconsistent`` with the right one that it has just said.
"""


class _Verdict(BaseModel):
    """The authors' four checks, of which each is a prompt there; ``restated`` comes first."""

    restated: str = Field(json_schema_extra={"maxLength": 300})
    differs: bool
    violates: bool
    helpful: bool


async def judge(
    model: BaseChatModel, preference: str, question: str, answer: str
) -> tuple[dict[str, float], RoleUsage]:
    """``follows`` and each of ``ERRORS``, 1 or 0; and the critic's calls and tokens.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_structured`` raises them.
    """
    prompt = render(
        "eval_prefeval_judge",
        preference=fence("preference", preference),
        query=fence("query", question),
        answer=fence("answer", shorten(answer, SHOWN_CHARS)),
    )
    verdict, usage = await invoke_structured(model, [HumanMessage(prompt)], _Verdict, role="critic")
    return scores_of(_error(verdict)), usage


def scores_of(error: str | None) -> dict[str, float]:
    """``follows`` and each of ``ERRORS``, 1 or 0, of an answer that makes this one or none."""
    return {name: float(name == error) for name in ERRORS} | {"follows": float(error is None)}


def _error(verdict: _Verdict) -> str | None:
    if not verdict.helpful:
        return "unhelpful"
    if not verdict.violates:
        return None
    if not verdict.restated.strip():
        return "unaware"
    return "hallucination" if verdict.differs else "inconsistent"
