"""What went wrong at a model endpoint, as errors of our own."""

import json
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
from personaagent.models.connection import (
    proxy_wants_password,
    speaks_no_tls,
    timed_out,
    untrusted_certificate,
)
from personaagent.models.endpoint_reason import reason_of, whole_reason_of
from personaagent.models.endpoint_remedies import Remedy, remedy_for
from personaagent.models.proxies import proxy_setting
from personaagent.models.refusals import OVERFLOW

RETRY_COUNT = "x-stainless-retry-count"
"""The header in which openai's client counts the retries of a request."""
SETTINGS = {"embedding": "PERSONAAGENT_EMBEDDINGS", "actor": "PERSONAAGENT_MODEL"}
"""Which setting names a role's model, where it is not ``PERSONAAGENT_<ROLE>_MODEL``."""
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
        return reason_of(self.error)

    @property
    def names(self) -> dict[str, str]:
        """What a remedy may speak of: the role, its model, and the setting that names that."""
        try:
            model = str(json.loads(self.error.request.content)["model"])
        except (AttributeError, RuntimeError, ValueError, LookupError, TypeError):
            model = f"the {self.role} model"
        setting = SETTINGS.get(self.role, f"PERSONAAGENT_{self.role.upper()}_MODEL")
        return {"role": self.role, "model": model, "setting": setting}

    @property
    def endpoint(self) -> str:
        """Where the request went, without credentials or query."""
        url = self.error.request.url
        return f"The model endpoint {url.scheme}://{url.netloc.decode()}"

    @property
    def is_overflow(self) -> bool:
        """Whether the prompt was too long for the model."""
        status = getattr(self.error, "status_code", None)
        return (
            isinstance(self.error, ContextOverflowError)
            or status == 413
            or bool(OVERFLOW.search(whole_reason_of(self.error)))
        )

    def unavailable(self, problem: str, advice: str = "try again later") -> ModelUnavailable:
        """The endpoint did not answer; the client may have tried again by itself."""
        retried = int(self.error.request.headers.get(RETRY_COUNT, 0)) >= self.retries
        return ModelUnavailable(f"{self.endpoint} {problem}; {advice}.", retried=retried)

    def told(self, problem: str, advice: str) -> str:
        """The sentence of an HTTP error: what it means, what to do, and what the endpoint said."""
        meaning, todo = problem.format(**self.names), advice.format(**self.names)
        said = self.message or "nothing"
        return f"{self.endpoint} {meaning} (HTTP {self.error.status_code}): {todo}; it said: {said}"


Translation = Callable[[_Failure], PersonaAgentError]


def _translate(failure: _Failure) -> PersonaAgentError:
    if failure.is_overflow:
        return ModelError(
            f"The prompt is longer than the {failure.role} model's context: {failure.message}"
        )
    status = getattr(failure.error, "status_code", None)
    if status is not None and (remedy := remedy_for(status, whole_reason_of(failure.error))):
        return _remedied(failure, remedy)
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


def _remedied(failure: _Failure, remedy: Remedy) -> PersonaAgentError:
    if remedy.kind is ModelUnavailable:
        problem = f"{remedy.problem.format(**failure.names)} (HTTP {failure.error.status_code}"
        return failure.unavailable(f"{problem}: {failure.message})", remedy.advice)
    return remedy.kind(failure.told(remedy.problem, remedy.advice))


def _cut_off(failure: _Failure) -> PersonaAgentError:
    return UnusableAnswer(f"The {failure.role} model's answer was cut off at its token limit.")


def _key_refused(failure: _Failure) -> PersonaAgentError:
    return ConfigurationError(
        failure.told("refused the key", "check OPENAI_API_KEY and OPENAI_BASE_URL")
    )


def _unknown_model(failure: _Failure) -> PersonaAgentError:
    advice = "check the {role} model's name and OPENAI_BASE_URL, which often ends in /v1"
    return ConfigurationError(failure.told("knows no such model or address", advice))


def _no_connection(failure: _Failure) -> PersonaAgentError:
    import openai

    through = proxy_setting(str(failure.error.request.url))
    if through and proxy_wants_password(failure.error):
        return _password_wanted(through)
    if why := untrusted_certificate(failure.error):
        return ConfigurationError(
            f"{failure.endpoint} has a certificate that is not trusted ({why}): set SSL_CERT_FILE "
            "to a file with the certificate of its authority, or correct OPENAI_BASE_URL."
        )
    if speaks_no_tls(failure.error):
        return ConfigurationError(
            f"{failure.endpoint} does not speak TLS: begin OPENAI_BASE_URL with http:// if it is "
            "meant to."
        )
    if isinstance(failure.error, openai.APITimeoutError) and timed_out(failure.error):
        return failure.unavailable("stopped answering for too long")
    by_proxy = f" (through the proxy of {through})" if through else ""
    return failure.unavailable(f"cannot be reached or broke the connection{by_proxy}")


def _password_wanted(through: str) -> PersonaAgentError:
    return ConfigurationError(
        f"The proxy of {through} wants a name and a password (HTTP 407): write them into "
        f"{through}, as http://NAME:PASSWORD@HOST:PORT."
    )


def _busy_or_refused(failure: _Failure) -> PersonaAgentError:
    status = failure.error.status_code
    if status in BUSY_STATUSES or status >= 500:
        return failure.unavailable(f"is unavailable or too busy (HTTP {status}: {failure.message})")
    if status == 405:
        return _unknown_model(failure)
    if status == 407 and (through := proxy_setting(str(failure.error.request.url))):
        return _password_wanted(through)
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
