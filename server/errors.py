"""What an error is over HTTP: a status, and a body with one sentence (``{"detail": ...}``)."""

import ast
from typing import Any

from pydantic import BaseModel

from personaagent.core import errors
from personaagent.core.audience import audience_message, is_public, kind_only, public_sentence
from personaagent.core.errors import (
    ConfigurationError,
    Conflict,
    CorrectionStands,
    DataError,
    LimitReached,
    NothingLabelled,
    PersonaAgentError,
    ServiceError,
    Unknown,
    UnknownEpisode,
    Unreadable,
    UsageError,
)

STATUS: dict[type[PersonaAgentError], int] = {
    PersonaAgentError: 500,
    UsageError: 422,
    Unknown: 404,
    CorrectionStands: 409,
    ConfigurationError: 500,
    ServiceError: 503,
    LimitReached: 429,
    DataError: 503,
    UnknownEpisode: 404,
    NothingLabelled: 409,
    Unreadable: 422,
    Conflict: 409,
}
"""Of each class the status, unless a class below it has its own."""


class Problem(BaseModel):
    """What went wrong, in one sentence, with what to do."""

    detail: str


class Refusal(Problem):
    """Why nothing was imported; ``problems`` are the first 20, each with its place."""

    problems: list[str] = []


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, for OpenAPI."""
    return {status: {"model": Problem} for status in statuses}


def status_of(error: PersonaAgentError) -> int:
    """The status of the nearest class of the error that has one."""
    return next(STATUS[each] for each in type(error).__mro__ if each in STATUS)


def sentence(error: PersonaAgentError) -> str:
    """The sentence for the caller.

    Of what the operator has to mend, only the kind: the error itself may name addresses and
    folders, and stands in the log.
    """
    if is_public(error):
        return audience_message(error)
    if status_of(error) == 500:
        return kind_only("is not set up as it should be", type(error).__name__)
    return public_sentence(error)


def kept_sentence(kept: str) -> str:
    """The same for an error as a checkpoint keeps it, which is its ``repr``: ``Kind('text')``.

    LangGraph's serialiser keeps no more of an exception.
    """
    name, text = _parsed(kept)
    kind = getattr(errors, name, None)
    if text is not None and isinstance(kind, type) and issubclass(kind, PersonaAgentError):
        return sentence(kind(text))
    return kind_only("cannot do that now", name)


def _parsed(kept: str) -> tuple[str, str | None]:
    """The class's name, and the text if it is the only argument."""
    try:
        match ast.parse(kept, mode="eval").body:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(text))]):
                return name, text
    except SyntaxError:
        pass
    return kept.partition("(")[0], None
