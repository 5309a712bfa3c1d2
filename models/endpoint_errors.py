"""What went wrong at a model endpoint, as errors of our own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import aiohttp
from langchain_core.exceptions import ContextOverflowError

from personaagent.core.errors import (
    ConfigurationError,
    ModelError,
    ModelUnavailable,
    PersonaAgentError,
    UnusableAnswer,
)
from personaagent.models.connection import timed_out

RETRY_COUNT = "x-stainless-retry-count"
"""The header in which openai's client counts the retries of a request."""
MESSAGE_CHARS = 200
"""How much of an endpoint's own message an error quotes."""
BUSY_STATUSES = (408, 409, 429)
UNREADABLE = (aiohttp.ClientError, ValueError, LookupError, TypeError, AttributeError)
"""Raised on an answer that is no HTTP, or whose body is no JSON or has another shape."""


@contextmanager
def endpoint_errors(role: str, retries: int) -> Iterator[None]:
    """Raise what fails in the block, a call of the ``role`` model, as an error of our own.

    Args:
        role: what the model is asked for, as errors name it.
        retries: how often the client may try again by itself.

    Raises:
        ConfigurationError: the endpoint refuses the key or knows no such address or model.
        ModelUnavailable: it did not answer, or its answer broke off.
        UnusableAnswer: the answer was cut off at its token limit.
        ModelError: it refused the request, or its answer cannot be read.
    """
    import openai

    try:
        yield
    except (openai.OpenAIError, TimeoutError, *UNREADABLE) as error:
        raise _translate(_Failure(error, role, retries)) from error


@dataclass(frozen=True)
class _Failure:
    error: Any
    role: str
    retries: int

    @property
    def message(self) -> str:
        """What the endpoint said, in one line."""
        line = " ".join(str(getattr(self.error, "message", self.error)).split())
        return line if len(line) <= MESSAGE_CHARS else f"{line[:MESSAGE_CHARS]}…"

    @property
    def endpoint(self) -> str:
        """Where the request went, without credentials or query."""
        url = self.error.request.url
        return f"The model endpoint {url.scheme}://{url.netloc.decode()}"

    @property
    def is_overflow(self) -> bool:
        """Whether the prompt was too long for the model."""
        message = self.message.lower()
        return isinstance(self.error, ContextOverflowError) or (
            "context" in message and any(word in message for word in ("length", "size", "window"))
        )

    def unavailable(self, problem: str) -> ModelUnavailable:
        """The endpoint did not answer; the client may have tried again by itself."""
        retried = int(self.error.request.headers.get(RETRY_COUNT, 0)) >= self.retries
        return ModelUnavailable(f"{self.endpoint} {problem}; try again later.", retried=retried)


Translation = Callable[[_Failure], PersonaAgentError]


def _translate(failure: _Failure) -> PersonaAgentError:
    if failure.is_overflow:
        return ModelError(
            f"The prompt is longer than the {failure.role} model's context: {failure.message}"
        )
    return next(
        translation(failure)
        for kind, translation in _translations()
        if isinstance(failure.error, kind)
    )


@cache
def _translations() -> tuple[tuple[type[Exception], Translation], ...]:
    """For each class of errors its translation; of a class and one below it, the lower stands first."""
    import openai

    return (
        (openai.LengthFinishReasonError, _cut_off),
        (openai.AuthenticationError, _key_refused),
        (openai.PermissionDeniedError, _key_refused),
        (openai.NotFoundError, _unknown_model),
        (openai.APIConnectionError, _no_connection),
        (openai.APIStatusError, _busy_or_refused),
        (openai.APIResponseValidationError, _invalid_answer),
        (openai.APIError, _failed_midway),
        (TimeoutError, _stopped_midway),
        (Exception, _unreadable_answer),
    )


def _cut_off(failure: _Failure) -> PersonaAgentError:
    return UnusableAnswer(f"The {failure.role} model's answer was cut off at its token limit.")


def _key_refused(failure: _Failure) -> PersonaAgentError:
    return ConfigurationError(
        f"{failure.endpoint} refused the key (HTTP {failure.error.status_code}): "
        "check OPENAI_API_KEY and OPENAI_BASE_URL."
    )


def _unknown_model(failure: _Failure) -> PersonaAgentError:
    return ConfigurationError(
        f"{failure.endpoint} knows no such model or address (HTTP 404): "
        f"check the {failure.role} model's name and OPENAI_BASE_URL; it said: {failure.message}"
    )


def _no_connection(failure: _Failure) -> PersonaAgentError:
    import openai

    if isinstance(failure.error, openai.APITimeoutError) and timed_out(failure.error):
        return failure.unavailable("stopped answering for too long")
    return failure.unavailable("cannot be reached or broke the connection")


def _busy_or_refused(failure: _Failure) -> PersonaAgentError:
    status = failure.error.status_code
    if status in BUSY_STATUSES or status >= 500:
        return failure.unavailable(f"is unavailable or too busy (HTTP {status}: {failure.message})")
    return ModelError(
        f"{failure.endpoint} refused the {failure.role} model's request "
        f"(HTTP {status}): {failure.message}"
    )


def _invalid_answer(failure: _Failure) -> PersonaAgentError:
    return ModelError(f"{failure.endpoint} gave an answer that cannot be read: {failure.message}")


def _failed_midway(failure: _Failure) -> PersonaAgentError:
    return failure.unavailable(f"failed while answering ({failure.message})")


def _stopped_midway(failure: _Failure) -> PersonaAgentError:
    return ModelUnavailable(
        f"The {failure.role} model stopped answering midway; try again.", retried=False
    )


def _unreadable_answer(failure: _Failure) -> PersonaAgentError:
    return ModelError(
        f"The {failure.role} model's endpoint gave an answer that cannot be read "
        f"({type(failure.error).__name__}: {failure.message}): check OPENAI_BASE_URL."
    )
