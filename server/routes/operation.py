"""``/health``, ``/ready`` and ``/metrics/personaagent``: for whoever operates the server."""

from hmac import compare_digest
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from personaagent.core.prometheus import REGISTRY, RUNS, count_failure
from personaagent.core.records import Record
from personaagent.core.settings import variable
from personaagent.server.dependencies import ServerDependencies, ServerStore
from personaagent.server.errors import error_responses
from personaagent.server.readiness import Readiness, check_readiness
from personaagent.server.run_counts import queue_depth

router = APIRouter(tags=["operation"])

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Health(Record):
    """The process answers."""

    ok: Literal[True] = True


@router.get("/health")
async def health() -> Health:
    """Whether the process answers at all. Needs no token."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
async def ready(deps: ServerDependencies, store: ServerStore, response: Response) -> Readiness:
    """Whether store, index and model endpoint answer, and no more than that. Needs no token."""
    readiness = await check_readiness(deps, store)
    response.status_code = 200 if readiness.all else 503
    return readiness


@router.get(
    "/metrics/personaagent",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **error_responses(401, 404),
    },
)
async def metrics(deps: ServerDependencies, bearer: Bearer) -> Response:
    """What this process has counted, for Prometheus; with the operator's token, not a user's.

    The runs that wait or work are those of all processes on the database.
    """
    token = deps.settings.metrics_token
    if token is None:
        raise HTTPException(404, f"Metrics are not shown: set {variable('metrics_token')}.")
    credentials = bearer.credentials.encode() if bearer else b""
    if not compare_digest(credentials, token.get_secret_value().encode()):
        raise HTTPException(
            401, "The token of the metrics is needed.", {"WWW-Authenticate": "Bearer"}
        )
    await _count_runs()
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _count_runs() -> None:
    try:
        depth = await queue_depth()
    except Exception as error:  # the other metrics say what is wrong
        count_failure(error)
        RUNS.clear()
        return
    for status, runs in depth.items():
        RUNS.labels(status).set(runs)
