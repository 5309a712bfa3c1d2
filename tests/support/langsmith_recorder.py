"""A recorder on loopback that takes traces as LangSmith does, or as an OpenTelemetry collector.

    with langsmith_recorder() as recorder:
        ...                                    # LANGSMITH_ENDPOINT=recorder.url LANGSMITH_TRACING=true
    [turn] = recorder.trees()
    assert turn.name == "agent"

It keeps every request as it came, so that a test can look for what must not have been sent.
"""

import asyncio
import json
import socket
import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from requests_toolbelt.multipart.decoder import MultipartDecoder
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

INFO = {"instance_flags": {"zstd_compression_enabled": True}}


@dataclass(frozen=True)
class Received:
    """A request as it came; the body unpacked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, str] = field(default_factory=dict)


@dataclass
class Node:
    """A run with those that it called, in the order in which they began."""

    run: dict[str, Any]
    children: list["Node"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.run["name"])

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata."""
        found: dict[str, Any] = self.run["extra"]["metadata"]
        return found

    def each(self) -> Iterator["Node"]:
        """The run itself, and all below it."""
        yield self
        for child in self.children:
            yield from child.each()

    def outline(self) -> Any:
        """Names alone: ``name``, or ``(name, [children])``."""
        inner = [child.outline() for child in self.children]
        return (self.name, inner) if inner else self.name


@dataclass
class Recorder:
    """A running recorder: its address, and all that it was sent.

    ``refusals`` are the HTTP statuses with which it answers what comes next, one each; ``answer``
    gives the JSON of an answer, or None where it is nothing but taken.
    """

    url: str
    received: list[Received] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    answer: Callable[[Received], Any] = lambda received: None

    def said(self) -> bytes:
        """Everything that was sent, headers too."""
        return b"\n".join(
            b"\n".join([each.path.encode(), json.dumps(each.headers).encode(), each.body])
            for each in self.received
        )

    def runs(self) -> dict[str, dict[str, Any]]:
        """By id: each run as it stands after all that was said of it."""
        runs: dict[str, dict[str, Any]] = {}
        for request in self.received:
            if request.path == "/runs/multipart":
                for id, fields in _parts(request):
                    runs.setdefault(id, {}).update(fields)
        return runs

    def trees(self) -> list[Node]:
        """The traces, oldest first."""
        nodes = {id: Node(run) for id, run in self.runs().items()}
        roots = []
        for node in sorted(nodes.values(), key=lambda each: each.run["dotted_order"]):
            parent = node.run.get("parent_run_id")
            (roots if parent is None else nodes[parent].children).append(node)
        return roots

    def spans(self) -> list[Any]:
        """Every OpenTelemetry span, as protobuf has it."""
        found: list[Any] = []
        for request in self.received:
            if request.path == "/v1/traces":
                message = ExportTraceServiceRequest.FromString(request.body)
                for resource in message.resource_spans:
                    found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@contextmanager
def langsmith_recorder() -> Iterator[Recorder]:
    """Record on a free port of its own until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    recorder = Recorder(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server = uvicorn.Server(
        uvicorn.Config(
            _application(recorder), http="h11", ws="none", lifespan="off", log_config=None
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _application(recorder: Recorder) -> Starlette:
    async def take(request: HttpRequest) -> Response:
        body = await asyncio.to_thread(_unpacked, await request.body(), request.headers)
        path, headers = request.url.path, dict(request.headers)
        received = Received(request.method, path, headers, body, dict(request.query_params))
        recorder.received.append(received)
        if recorder.refusals:
            return Response(status_code=recorder.refusals.pop(0))
        if path == "/v1/traces":
            return Response()
        if (answer := recorder.answer(received)) is not None:
            return JSONResponse(answer)
        return JSONResponse(INFO) if path == "/info" else JSONResponse({}, 202)

    methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", take, methods=methods)])


def _unpacked(body: bytes, headers: Any) -> bytes:
    encoding = headers.get("content-encoding")
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return zlib.decompress(body, wbits=31) if encoding == "gzip" else body


def _parts(request: Received) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of each part: the run's id, and the fields that it says.

    A part is named ``post.ID`` or ``patch.ID`` (the run), or ``post.ID.inputs`` (one field of it).
    """
    for part in MultipartDecoder(request.body, request.headers["content-type"]).parts:
        disposition = part.headers[b"Content-Disposition"].decode()
        _, id, *name = disposition.split('name="')[1].split('"')[0].split(".")
        value = json.loads(part.content)
        fields = {name[0]: value} if name else value
        yield id, {key: each for key, each in fields.items() if each is not None}


@contextmanager
def watched_proxy() -> Iterator[tuple[dict[str, str], list[bytes]]]:
    """Environment variables by which whatever leaves the machine goes to a proxy, and what it is told.

    The proxy refuses everything. What stays on loopback does not go there.
    """
    told: list[bytes] = []

    class Proxy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            told.append(self.rfile.readline())
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{proxy.server_address[1]}"
        names = ("http_proxy", "https_proxy", "all_proxy")
        variables = dict.fromkeys([*names, *map(str.upper, names)], address)
        here = dict.fromkeys(["no_proxy", "NO_PROXY"], "127.0.0.1,localhost")
        try:
            yield variables | here, told
        finally:
            proxy.shutdown()
            thread.join()
