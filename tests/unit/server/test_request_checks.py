"""Requests to LangGraph's own routes, as the application lets them through."""

import json
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from personaagent.server import request_checks
from personaagent.server.request_checks import RequestChecks

FORGED = {"values": {"episode_id": "0123456789abcdef"}}


class NeedTokens:
    def __init__(self, required: bool) -> None:
        self.required = required

    async def aget(self) -> "NeedTokens":
        return self


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """In place of LangGraph's routes: the body that came in, and the length that its header says."""
    request = Request(scope, receive)
    body = (await request.body()).decode()
    await JSONResponse({"body": body, "length": request.headers.get("content-length")})(
        scope, receive, send
    )


async def ask(method: str, path: str, **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(RequestChecks(echo))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        return await http.request(method, path, **options)


@pytest.fixture(autouse=True)
def with_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_checks, "tokens", NeedTokens(True))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/threads/t/state", FORGED),
        ("POST", "/threads/t/state/", FORGED),
        ("POST", "/threads", {"supersteps": [{"updates": [FORGED]}]}),
        ("POST", "/threads/t/runs/stream", {"command": {"update": FORGED["values"]}}),
        ("POST", "/threads/t/commands", {"params": {"update": FORGED["values"]}}),
        ("POST", "/runs/batch", [{"command": {"update": FORGED["values"]}}]),
        ("PATCH", "/runs/crons/c", {"payload": {"command": {"update": FORGED["values"]}}}),
    ],
)
async def test_a_forged_field_is_left_out(method: str, path: str, body: Any) -> None:
    told = (await ask(method, path, json=body)).json()
    assert "episode_id" not in told["body"]
    assert told["length"] == str(len(told["body"]))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/store/items/search", {"namespace_prefix": [".."]}),
        ("GET", "/store/items?namespace=users..a&key=b", None),
        ("GET", "/store/items?namespace=users&key=%00", None),
    ],
)
async def test_it_is_refused_in_one_sentence(method: str, path: str, body: Any) -> None:
    answer = await ask(method, path, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"])
async def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    assert (await ask("POST", "/threads/t/state", content=body)).status_code == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/threads", b""),
        ("/threads/t/state", b'{"values": {"messages": []}}'),
        ("/threads/search", b'{"values": {"profile": {}}}'),
        ("/me/import", b"no JSON"),
        ("/store/items/search", b'{"namespace_prefix": ["users"]}'),
    ],
)
async def test_all_else_arrives_as_it_was_sent(path: str, body: bytes) -> None:
    answer = await ask("POST", path, content=body)
    assert answer.json() == {"body": body.decode(), "length": str(len(body))}


async def test_the_developer_edits_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_checks, "tokens", NeedTokens(False))
    told = (await ask("POST", "/threads/t/state", json=FORGED)).json()
    assert json.loads(told["body"]) == FORGED


CALLING = {"assistant_id": "agent", "feedback_keys": ["good"], "langsmith_tracer": {}}
CALLING_NOBODY = {"assistant_id": "agent"}


@pytest.mark.parametrize(
    ("method", "path", "body", "arrives"),
    [
        ("POST", "/runs/stream", CALLING, CALLING_NOBODY),
        ("POST", "/runs/batch", [CALLING], [CALLING_NOBODY]),
        ("POST", "/threads/t/commands", {"params": CALLING}, {"params": CALLING_NOBODY}),
        ("PATCH", "/runs/crons/c", {"payload": CALLING}, {"payload": CALLING_NOBODY}),
    ],
)
async def test_a_run_has_the_server_call_nobody(
    method: str, path: str, body: Any, arrives: Any
) -> None:
    answer = (await ask(method, path, json=body)).json()
    assert json.loads(answer["body"]) == arrives
    assert answer["length"] == str(len(answer["body"]))


async def test_a_web_socket_forges_nothing_either() -> None:
    came: list[Any] = []
    messages = iter(
        [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": json.dumps({"params": {"update": {"plan": {}}}})},
            {"type": "websocket.receive", "bytes": b"\xff"},
        ]
    )

    async def server(_: Scope, receive: Receive, __: Send) -> None:
        came.extend([await receive(), await receive(), await receive()])

    async def receive() -> Any:
        return next(messages)

    async def send(_: Any) -> None:
        raise AssertionError

    scope = {"type": "websocket", "path": "/threads/t/stream/events"}
    await RequestChecks(server)(scope, receive, send)
    assert [each["type"] for each in came] == [
        "websocket.connect",
        "websocket.receive",
        "websocket.disconnect",
    ]
    assert json.loads(came[1]["text"]) == {"params": {"update": {}}}
