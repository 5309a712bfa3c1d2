"""A small server that speaks Qdrant's REST protocol on loopback, over ``QdrantClient(":memory:")``.

    with qdrant_server(api_key="secret") as server:
        AsyncQdrantClient(url=server.url, api_key="secret")
        server.misbehave = Status(500)      # for every request from now on

Requests are parsed with the client's own models, so a body that those refuse is a 400.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from pydantic import TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class Status:
    """An HTTP error, with Qdrant's error body."""

    code: int


@dataclass(frozen=True)
class Stall:
    """Nothing is ever answered."""


@dataclass
class Server:
    """A running server, and every call that it answered (``"PUT /collections/x"``)."""

    url: str
    api_key: str | None
    misbehave: Status | Stall | None = None
    calls: list[str] = field(default_factory=list)
    created: dict[str, Any] = field(default_factory=dict)
    indexed: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def qdrant_server(api_key: str | None = None) -> Iterator[Server]:
    """Serve on a free port until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}", api_key)
    config = uvicorn.Config(
        _application(server), http="h11", ws="none", lifespan="off", log_config=None, log_level=60
    )
    uvicorn_server = uvicorn.Server(config)
    uvicorn_server.force_exit = True
    thread = threading.Thread(
        target=uvicorn_server.run, kwargs={"sockets": [listener]}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        uvicorn_server.should_exit = True
        thread.join()
        listener.close()


Operation = Callable[[QdrantClient, str, Any], Any]


def _application(server: Server) -> Starlette:
    qdrant = QdrantClient(":memory:")

    def create(_: QdrantClient, name: str, body: models.CreateCollection) -> bool:
        server.created = body.model_dump(mode="json", exclude_none=True)
        return qdrant.create_collection(
            name, vectors_config=body.vectors, sparse_vectors_config=body.sparse_vectors
        )

    def index(_: QdrantClient, name: str, body: models.CreateFieldIndex) -> dict[str, Any]:
        server.indexed.append(body.model_dump(mode="json", exclude_none=True))
        return _done()

    operations: list[tuple[str, str, Any, Operation]] = [
        ("GET", "/exists", None, lambda q, n, b: {"exists": q.collection_exists(n)}),
        ("PUT", "", models.CreateCollection, create),
        ("DELETE", "", None, lambda q, n, b: q.delete_collection(n)),
        ("PUT", "/index", models.CreateFieldIndex, index),
        ("PUT", "/points", models.PointsList, lambda q, n, b: _done(q.upsert(n, b.points))),
        (
            "POST",
            "/points/delete",
            models.PointsSelector,
            lambda q, n, b: _done(q.delete(n, b)),
        ),
        (
            "POST",
            "/points/count",
            models.CountRequest,
            lambda q, n, b: {"count": q.count(n, b.filter, exact=bool(b.exact)).count},
        ),
        ("POST", "/points/scroll", models.ScrollRequest, _scrolled),
        (
            "POST",
            "/points/query/batch",
            models.QueryRequestBatch,
            lambda q, n, b: [
                each.model_dump(mode="json") for each in q.query_batch_points(n, b.searches)
            ],
        ),
    ]
    routes = [
        Route(f"/collections/{{name}}{path}", _endpoint(server, qdrant, body, run), methods=[verb])
        for verb, path, body, run in operations
    ]
    return Starlette(routes=routes)


def _endpoint(
    server: Server, qdrant: QdrantClient, body: Any, run: Operation
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if isinstance(server.misbehave, Stall):
            await asyncio.Event().wait()
        if isinstance(server.misbehave, Status):
            return _failed(server.misbehave.code, "scripted failure")
        if server.api_key is not None and request.headers.get("api-key") != server.api_key:
            return _failed(401, "Invalid API key or JWT")
        name = request.path_params["name"]
        server.calls.append(f"{request.method} {request.url.path}")
        try:
            parsed = None if body is None else TypeAdapter(body).validate_json(await request.body())
            if request.method == "POST":
                qdrant.get_collection(name)
            result = run(qdrant, name, parsed)
        except ValidationError as error:
            return _failed(400, str(error))
        except ValueError as error:
            return _failed(404 if "not found" in str(error) else 409, str(error))
        return JSONResponse({"time": 0.001, "status": "ok", "result": result})

    return answer


def _scrolled(qdrant: QdrantClient, name: str, body: models.ScrollRequest) -> dict[str, Any]:
    points, offset = qdrant.scroll(name, body.filter, limit=body.limit or 10)
    shown = [each.model_dump(mode="json") for each in points]
    return {"points": shown, "next_page_offset": offset}


def _done(result: models.UpdateResult | None = None) -> dict[str, Any]:
    return {"operation_id": 0, "status": "completed"}


def _failed(code: int, why: str) -> Response:
    body = json.dumps({"time": 0.0, "status": {"error": why}, "result": None})
    return Response(body, code, media_type="application/json")
