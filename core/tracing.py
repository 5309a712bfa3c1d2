"""Traces of turns and alignments: LangSmith or OpenTelemetry, where the environment asks for them.

LangSmith's own variables (``LANGSMITH_TRACING`` ...) switch traces on and name their target; the
settings ``trace_content`` and ``trace_user`` limit what they hold. With nothing set, nothing of
LangSmith's is imported here, and nothing leaves the machine.
"""

import os
from typing import TYPE_CHECKING, Any

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from personaagent.core.tracing_client import TracingClient

SWITCHES = (
    "LANGSMITH_TRACING_V2",
    "LANGCHAIN_TRACING_V2",
    "LANGSMITH_TRACING",
    "LANGCHAIN_TRACING",
)
"""One of them is ``true`` where runs are to be traced."""
BY_OTEL = ("LANGSMITH_OTEL_ENABLED", "LANGSMITH_OTEL_ONLY")

_client: "TracingClient | None" = None


def prepare_tracing(settings: Settings) -> None:
    """Apply the settings to all traces of this process; do nothing where tracing is not on.

    Nothing either where the running code has switched tracing off, as an evaluation does: a new
    client makes a request to LangSmith at once.

    Raises:
        ConfigurationError: tracing is on, and cannot work with these variables.
    """
    global _client
    if not any(os.environ.get(name) == "true" for name in SWITCHES):
        return
    from langsmith.run_helpers import get_tracing_context

    if get_tracing_context()["enabled"] is False:
        return
    if _client is None or not _client.matches(settings):
        from personaagent.core.tracing_client import tracing_client

        _client = tracing_client(settings, _provider() if _wants_otel() else None)


def describe(**facts: Any) -> None:
    """Add facts to the root of the trace of the current turn or alignment.

    ``user_id`` and ``thread`` are hashed where the settings say so.
    """
    if _client is not None:
        _client.describe(**facts)


def _wants_otel() -> bool:
    mode = os.environ.get("LANGSMITH_TRACING_MODE", "").lower()
    return mode in ("otel", "hybrid") or any(os.environ.get(each) == "true" for each in BY_OTEL)


def _provider() -> "TracerProvider | None":
    """The exporter of spans.

    Without one LangSmith's client would only warn, and send to LangSmith what was meant for a
    collector.
    """
    try:
        from personaagent.core.tracing_otel import span_provider
    except ImportError as missing:
        raise ConfigurationError(
            "Traces are to go out by OpenTelemetry, which is not installed: "
            "pip install -e '.[otel]'."
        ) from missing
    return span_provider()
