"""PrefEval's judge: which of four errors an answer makes, if any."""

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, Field

from personaagent.core.records import RoleUsage
from personaagent.core.text import shorten
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

MAX_ANSWER_CHARS = 4000
ERRORS = ("unaware", "hallucination", "inconsistent", "unhelpful")
"""The errors that the authors distinguish: an answer makes at most one of them, or it *follows*.

``unhelpful``: it does not answer. Otherwise, if it violates the preference: it mentions no preference
(``unaware``), another one (``hallucination``), or the right one (``inconsistent``).
"""


class _PreferenceVerdict(BaseModel):
    """The authors' four checks; they use a prompt for each. ``restated`` must come first."""

    restated: str = Field(json_schema_extra={"maxLength": 300})
    differs: bool
    violates: bool
    helpful: bool


async def judge(
    model: BaseChatModel, preference: str, question: str, answer: str
) -> tuple[dict[str, float], RoleUsage]:
    """Judge an answer; returns the scores of ``error_scores``, and the critic's calls and tokens.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_structured`` raises them.
    """
    prompt = render(
        "eval_prefeval_judge",
        preference=fence("preference", preference),
        query=fence("query", question),
        answer=fence("answer", shorten(answer, MAX_ANSWER_CHARS)),
    )
    verdict, usage = await invoke_structured(
        model, [HumanMessage(prompt)], _PreferenceVerdict, role="critic"
    )
    return error_scores(_error(verdict)), usage


def error_scores(error: str | None) -> dict[str, float]:
    """``follows`` and each of ``ERRORS``, 1 or 0, for an answer that makes this error, or none."""
    return {name: float(name == error) for name in ERRORS} | {"follows": float(error is None)}


def _error(verdict: _PreferenceVerdict) -> str | None:
    if not verdict.helpful:
        return "unhelpful"
    if not verdict.violates:
        return None
    if not verdict.restated.strip():
        return "unaware"
    return "hallucination" if verdict.differs else "inconsistent"
