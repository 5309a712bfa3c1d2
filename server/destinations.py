"""What leaves this machine, as the settings have it: for whom, and where to."""

import os
from collections.abc import Iterator
from typing import Literal, get_args
from urllib.parse import urlsplit

from personaagent.core.records import Record
from personaagent.core.settings import Role, Settings
from personaagent.core.tracing import BY_OTEL, SWITCHES
from personaagent.models.chat import OPENAI
from personaagent.models.embeddings import OPENAI_PREFIX
from personaagent.models.proxies import is_loopback

LANGSMITH = "https://api.smith.langchain.com"
WIKIPEDIA = "https://{}.wikipedia.org"

Purpose = Literal[
    "actor",
    "critic",
    "editor",
    "embeddings",
    "reranking",
    "index",
    "wikipedia",
    "traces",
    "webhook",
]
HOLDS_TEXT = frozenset(get_args(Purpose)) - {"webhook"}
"""What is sent words of the user's, or what they are searched by."""


class Destination(Record):
    """A place that the user's data goes to, or may go to.

    ``here``: it stays on the server's machine, and ``host`` is null. So it is where a server has
    tokens: its addresses are its operator's. ``model``: who reads it there, of models. ``text``:
    whether words of the user's go there.
    """

    purpose: Purpose
    here: bool
    host: str | None
    model: str | None = None
    text: bool


def destinations(settings: Settings, *, with_hosts: bool) -> list[Destination]:
    """All places that these settings name; ``with_hosts`` if the user may know their addresses."""
    return [
        Destination(
            purpose=purpose,
            here=_is_here(address),
            host=urlsplit(address).hostname if with_hosts and not _is_here(address) else None,
            model=model,
            text=_holds_text(purpose, settings),
        )
        for purpose, address, model in _addresses(settings)
    ]


def _addresses(settings: Settings) -> Iterator[tuple[Purpose, str, str | None]]:
    """The purpose, the address (empty: in the server's process) and the model of each place."""
    endpoint = "" if settings.embedded else settings.openai_base_url or OPENAI
    for role in get_args(Role):
        yield role, endpoint, settings.model_for(role)
    remote = settings.embeddings.startswith(OPENAI_PREFIX)
    yield "embeddings", endpoint if remote else "", settings.embeddings
    if settings.rerank_url or settings.rerank_model:
        yield "reranking", settings.rerank_url or "", settings.rerank_model
    yield "index", settings.qdrant_url or "", None
    yield "wikipedia", settings.wikipedia_url or WIKIPEDIA.format(settings.wikipedia_language), None
    if any(os.environ.get(name) == "true" for name in SWITCHES):
        yield "traces", _traces(), None
    if settings.webhook_url:
        yield "webhook", settings.webhook_url, None


def _traces() -> str:
    """Where traces go to: by OpenTelemetry a collector, which is here unless a variable says else."""
    if any(os.environ.get(name) == "true" for name in BY_OTEL):
        return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return os.environ.get("LANGSMITH_ENDPOINT") or LANGSMITH


def _holds_text(purpose: Purpose, settings: Settings) -> bool:
    return settings.trace_content if purpose == "traces" else purpose in HOLDS_TEXT


def _is_here(address: str) -> bool:
    return not address or is_loopback(urlsplit(address).hostname or "")
