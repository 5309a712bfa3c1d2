"""Where spans go, if traces go out by OpenTelemetry: a collector that its own variables name."""

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def span_provider() -> TracerProvider | None:
    """What exports our spans; None where the process has something of its own for all its spans.

    It is not made the process's: then whatever else knows of OpenTelemetry, as FastAPI does, would
    send paths, queries and errors there too, which no setting of ours covers.
    """
    common = trace.get_tracer_provider()
    if not isinstance(common, trace.ProxyTracerProvider) and not _is_langsmiths(common):
        return None
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {SERVICE_NAME: "personaagent"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _is_langsmiths(provider: trace.TracerProvider) -> bool:
    """Whether one of LangSmith's clients made it the process's, as in LangGraph's development server."""
    resource = getattr(provider, "resource", None)
    return resource is not None and "langsmith.internal_provider" in resource.attributes
