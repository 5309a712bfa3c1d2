"""Whom a text is for: the owner of this machine, or the users of a server, who did not set it up.

What a text says of an error depends on that. The errors of the settings, of an endpoint or of the disk
name addresses and folders, and repeat what others say of them: that is for whoever has to mend it. The
users of a server get the kind, and its log has the rest.
"""

import copy
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import new_class

from personaagent.core.errors import KindOnlyError, PersonaAgentError

COMMAND = r"(?:`personaagent [^`]*`|--[a-z])"
WITH_COMMAND = re.compile(
    rf"\s\([^()]{{0,200}}{COMMAND}[^()]{{0,200}}\)"  # in brackets
    rf"|(?<=[.!?])\s[^.:;!?]{{0,200}}{COMMAND}[^.;]{{0,200}}(?:[.;]|$)"  # a sentence
    rf"|[:;,]\s[^.:;]{{0,200}}{COMMAND}[^.;]{{0,200}}"  # the end of one
)
"""The part of a text that tells what to do in a terminal; bounded, as a text may quote anything."""

_for_users: ContextVar[bool] = ContextVar("for users of a server", default=False)


@contextmanager
def for_users_of_a_server() -> Iterator[None]:
    """Inside, texts are for the users of a server: the functions below hide what is not theirs."""
    token = _for_users.set(True)
    try:
        yield
    finally:
        _for_users.reset(token)


def audience_text(text: str) -> str:
    """The text, for users of a server without what it says of commands: they have no terminal."""
    return WITH_COMMAND.sub("", text) if _for_users.get() else text


def audience_message(error: Exception) -> str:
    """The error's sentence, as this audience may know it; what is hidden of it is logged."""
    if not _for_users.get() or is_public(error):
        return audience_text(str(error))
    logging.getLogger(__name__).warning("An error of which users are told the kind: %s", error)
    return public_sentence(error)


def audience_error(error: Exception) -> Exception:
    """The error whose own text and ``repr`` are what this audience may know.

    LangGraph keeps the ``repr`` with the thread, and shows it to clients. The class of our own errors
    stays: it decides what may be tried again.
    """
    if not _for_users.get():
        return error
    if is_public(error):
        return _saying(error, audience_text(str(error)))
    detail = None if isinstance(error, PersonaAgentError) else error
    logging.getLogger(__name__).warning("A step of a run failed: %s", error, exc_info=detail)
    if not isinstance(error, PersonaAgentError):
        return KindOnlyError(public_sentence(error))
    return _saying(error, public_sentence(error))


def audience_quote(error: Exception | str) -> str:
    """What somebody else said of a failure: for users of a server no more than the class, if any."""
    if not _for_users.get():
        return str(error) or type(error).__name__
    logging.getLogger(__name__).warning("Somebody else failed: %s", error)
    return "its log says why" if isinstance(error, str) else type(error).__name__


def _saying(error: Exception, text: str) -> Exception:
    """The error itself if that is its text, or one of its class that has it."""
    if str(error) == text:
        return error
    other = copy.copy(error)
    other.args = (text,)
    other.__class__ = _shown(type(error))
    return other


def _shown(kind: type[Exception]) -> type[Exception]:
    """The class as a ``RuntimeError`` too: of others LangGraph's server tells its clients no text."""
    if issubclass(kind, RuntimeError):
        return kind
    return new_class(kind.__name__, (kind, RuntimeError))


def is_public(error: Exception) -> bool:
    """Whether the error's own sentence is for whoever asked."""
    return isinstance(error, PersonaAgentError) and error.for_users


def public_sentence(error: Exception) -> str:
    """The sentence that says of an error no more than its class."""
    what = "cannot do that now" if isinstance(error, PersonaAgentError) else "failed"
    return kind_only(what, type(error).__name__)


def kind_only(what: str, kind: str) -> str:
    """``The server WHAT``, and the class of the error."""
    return f"The server {what} ({kind}): try again later; its log says more."
