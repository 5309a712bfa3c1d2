"""The metrics of a process, for Prometheus. No label ever holds a user, a text or an id.

The registry is our own: LangGraph's server shows the library's common one to anybody.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

TURNS = Counter("personaagent_turns", "Turns that were answered.", registry=REGISTRY)
TURN_SECONDS = Histogram(
    "personaagent_turn_seconds",
    "Seconds of a whole turn: recall, model, tools, and remembering.",
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0),
    registry=REGISTRY,
)
RECALL_SECONDS = Histogram(
    "personaagent_recall_seconds",
    "Seconds that recall took, in turns and in simulations.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    registry=REGISTRY,
)
TOKENS = Counter(
    "personaagent_tokens",
    "Tokens that models read (input) and wrote (output), by the role that they played.",
    ["role", "direction"],
    registry=REGISTRY,
)
MODEL_SECONDS = Histogram(
    "personaagent_model_seconds",
    "Seconds of a model call, with the client's retries, by the role that the model played.",
    ["role"],
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0),
    registry=REGISTRY,
)
REQUESTS = Counter(
    "personaagent_requests",
    "Requests that were answered, by the route as it is written.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "personaagent_request_seconds",
    "Seconds until the answer to a request began, by the route as it is written.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    registry=REGISTRY,
)
RUNS = Gauge(
    "personaagent_runs",
    "Runs that wait (pending) or work (running), of all processes on the database.",
    ["status"],
    registry=REGISTRY,
)
ALIGNMENTS = Counter(
    "personaagent_alignments",
    "Alignments that ended: accepted where a new version was published, else refused.",
    ["outcome"],
    registry=REGISTRY,
)
NIGHTLY_USERS = Counter(
    "personaagent_nightly_users",
    "Users that a night came to: a run of theirs was queued, they needed none, or it failed.",
    ["outcome"],
    registry=REGISTRY,
)
NIGHT = Gauge(
    "personaagent_night_timestamp_seconds",
    "When the last night of alignment began that this process knows to have ended.",
    registry=REGISTRY,
)
FAILURES = Counter(
    "personaagent_failures",
    "What failed: model calls, recall, indexing and requests, by the name of the error.",
    ["kind"],
    registry=REGISTRY,
)


def count_tokens(role: str, read: int, written: int) -> None:
    """Count the tokens of one model call."""
    TOKENS.labels(role, "input").inc(read)
    TOKENS.labels(role, "output").inc(written)


def count_failure(error: BaseException) -> None:
    """Count one failure by the name of its class."""
    FAILURES.labels(type(error).__name__).inc()
