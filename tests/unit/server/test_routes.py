"""Our routes as an application in this process: who is let in, and how errors are told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from personaagent.core import errors
from personaagent.core.errors import IndexUnavailable, PersonaAgentError
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.nodes.dependencies import Dependencies
from personaagent.server import forgetting
from personaagent.server.app import app
from personaagent.server.errors import status_of
from personaagent.server.limits import BODY_BYTES
from personaagent.server.store import server_store
from tests.support.chat_exports import claude
from tests.support.memories import episode, remember
from tests.support.scripted_model import scripted_dependencies
from tests.unit.server.conftest import TOKEN, serve_from

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

OPEN = {"/sign-in", "/health", "/ready", "/metrics/personaagent"}


class Broken:
    """In place of an index or a store that is down."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: Any, **__: Any) -> None:
            raise self._error

        return fail


def every(kind: type[PersonaAgentError]) -> list[type[PersonaAgentError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in every(below))]


def test_errors_are_told_apart_by_whose_they_are() -> None:
    told = {each.__name__: status_of(each.__new__(each)) for each in every(PersonaAgentError)}
    assert {name for name, status in told.items() if status == 404} == {"Unknown", "UnknownEpisode"}
    assert {told[name] for name in ("UsageError", "Unreadable", "Refused")} == {422}
    assert {told[name] for name in ("Conflict", "NothingLabelled")} == {409}
    assert {told[name] for name in ("ModelUnavailable", "IndexDamaged", "DataError")} == {503}
    assert {told[name] for name in ("ConfigurationError", "EmbeddingsChanged")} == {500}


async def test_only_the_operators_routes_are_open_to_nobody(http: httpx.AsyncClient) -> None:
    del http.headers["X-User-Id"]
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            told = await http.request(method, path.replace("{version}", "1"))
            assert path in OPEN or told.status_code == 401, (method, path)


async def test_somebody_elsewhere_is_nobody(http: httpx.AsyncClient) -> None:
    for headers in (
        {"Host": "evil.example"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-User-Id": " "},
    ):
        assert (await http.get("/me/persona", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (IndexUnavailable("The index is down."), 503, "IndexUnavailable"),
        (
            errors.ModelUnavailable("The endpoint is too busy; try again later."),
            503,
            "IndexUnavailable",
        ),
        (
            errors.EmbeddingsChanged("The index was built with another model."),
            500,
            "EmbeddingsChanged",
        ),
    ],
)
async def test_what_is_down_is_one_sentence(
    error: PersonaAgentError,
    status: int,
    kind: str,
    deps: Dependencies,
    http: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = app.dependency_overrides[server_store]()
    await remember(deps.memory.of(store, "anna"), episode("e1"))
    deps.memory._index = Broken(error)
    told = await http.post("/me/episodes/search", json={"text": "a question"})
    assert (told.status_code, told.json().keys()) == (status, {"detail"})
    assert f"({kind})" in told.json()["detail"]
    assert str(error) not in told.json()["detail"]
    assert str(error) in caplog.text
    assert (await http.get("/me/episodes/e1")).status_code == 200


async def test_a_broken_store_is_one_sentence_too(
    deps: Dependencies, monkeypatch: pytest.MonkeyPatch, http: httpx.AsyncClient
) -> None:
    serve_from(monkeypatch, deps, Broken(OSError(28, "No space left on device")))
    for path in ("/me/persona", "/me/export"):
        told = await http.get(path)
        assert (told.status_code, "(DataError)" in told.json()["detail"]) == (503, True)


@pytest.mark.parametrize("path", ["/me/episodes", "/me/export"])
async def test_what_nobody_foresaw_is_one_sentence_too(path: str, http: httpx.AsyncClient) -> None:
    store = app.dependency_overrides[server_store]()
    await store.aput(("users", user_key("anna"), "episodes"), "a", {"secret": "Rex"})
    told = await http.get(path)
    assert (told.status_code, [*told.json()]) == (500, ["detail"])
    assert "(KeyError)" in told.json()["detail"]


@pytest.mark.parametrize("in_pieces", [False, True])
async def test_what_is_too_long_is_one_sentence_too(
    in_pieces: bool, http: httpx.AsyncClient
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"x" * BODY_BYTES

    told = await http.post(
        "/me/episodes/search", content=pieces() if in_pieces else b"x" * (BODY_BYTES + 1)
    )
    assert (told.status_code, [*told.json()]) == (413, ["detail"])
    assert "too long" in told.json()["detail"]


async def test_readiness_tells_what_is_down_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, http: httpx.AsyncClient
) -> None:
    settings = load_settings(
        home=tmp_path, openai_base_url="http://127.0.0.1:9/v1", openai_api_key="none", model="m"
    )
    deps, _ = scripted_dependencies(settings, lambda _: "", Broken(IndexUnavailable("secret")))
    serve_from(monkeypatch, deps, Broken(RuntimeError("secret")))
    told = await http.get("/ready")
    assert (told.status_code, told.json()) == (
        503,
        {"store": False, "index": False, "models": False},
    )
    assert (await http.get("/health")).json() == {"ok": True}


async def test_metrics_are_shown_for_their_token_alone(http: httpx.AsyncClient) -> None:
    for token, status in ((TOKEN, 200), (TOKEN[:-1], 401), ("é", 401), ("", 401)):
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
        told = await http.get("/metrics/personaagent", headers=headers)
        assert (told.status_code, "personaagent_turns" in told.text) == (status, status == 200)


async def test_a_profile_is_mended_over_http(http: httpx.AsyncClient) -> None:
    """Forgetting a statement needs the server's own API: see tests/server."""
    added = await http.post("/me/profile/statements", json={"texts": ["Has a boat", "Bakes"]})
    assert [each["id"] for each in added.json()] == ["s1", "s2"]
    edited = await http.put("/me/profile/statements/s1", json={"text": "Had a boat"})
    assert edited.json()["text"] == "Had a boat"
    assert (await http.put("/me/profile/statements/s2/lock")).json()["locked"] is True
    assert (await http.delete("/me/profile/statements/s2/lock")).json()["locked"] is False
    page = (await http.get("/me/profile/history", params={"limit": 2})).json()
    assert [each["number"] for each in page["items"]] == [4, 3]
    assert (await http.post("/me/profile/history/2/undo")).status_code == 200
    assert (await http.post("/me/profile/history/2/undo")).status_code == 409
    summary = (await http.get("/me/profile")).json()["summary"]
    assert [each["text"] for each in summary] == ["Has a boat", "Bakes"]
    other = await http.get("/me/profile", headers={"X-User-Id": "ben"})
    assert other.json()["summary"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/me/profile/statements/s9", {"text": "x"}, 404),
        ("PUT", "/me/profile/statements/s9/lock", None, 404),
        ("POST", "/me/profile/history/9/undo", None, 404),
        ("POST", "/me/profile/statements", {"texts": []}, 422),
        ("POST", "/me/profile/statements", {"texts": ["x" * 501]}, 422),
        ("POST", "/me/profile/statements", {"texts": [" "]}, 422),
    ],
)
async def test_what_cannot_be_done_with_a_profile_is_one_sentence(
    method: str, path: str, body: Any, status: int, http: httpx.AsyncClient
) -> None:
    answer = await http.request(method, path, json=body)
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


async def test_an_episode_is_named_by_a_prefix(http: httpx.AsyncClient) -> None:
    line = b'{"id": "3f2a90bc11d04e55", "query": "q", "response": "r"}\n'
    assert (await http.post("/me/import", content=line)).status_code == 200
    assert (await http.get("/me/episodes/3f2a")).json()["id"] == "3f2a90bc11d04e55"
    assert (await http.get("/me/episodes/3f2")).status_code == 404


async def test_a_change_is_undone_and_what_was_forgotten_stays_out_over_http(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the server's own API: on a server that runs, see tests/server."""

    async def nothing(*_: Any) -> None: ...

    @asynccontextmanager
    async def alone(_: str, **__: Any) -> AsyncIterator[None]:
        yield

    for name in ("cancel_alignment", "delete_checkpoints", "erase_deleted", "delete_threads"):
        monkeypatch.setattr(forgetting, name, nothing)
    monkeypatch.setattr(forgetting, "exclusive", alone)
    first = b'{"id": "e1", "query": "q", "response": "r"}\n'
    drawn = b'{"id": "e2", "query": "p", "response": "r", "metadata": {"recalled": ["e1"]}}\n'
    assert (await http.get("/me/undo")).status_code == 422
    assert (await http.post("/me/import", content=first + drawn)).json()["added"] == 2
    await http.put("/me/episodes/e1/feedback", json={"signal": "edit", "text": "x"})

    key = (await http.get("/me/undo")).json()["key"]
    assert (await http.post("/me/undo", json={"key": "another"})).status_code == 409
    assert (await http.post("/me/undo", json={"key": key})).json()["kind"] == "feedback"
    assert (await http.get("/me/episodes/e1")).json()["ground_truth"] is None

    assert (await http.delete("/me/episodes/e1?derived=all")).status_code == 422
    receipt = (await http.delete("/me/episodes/e1")).json()
    assert (receipt["episodes"], receipt["blanked"]) == (["e1"], ["e2"])
    assert (await http.get("/me/episodes/e2")).json()["response"] == ""
    again = (await http.post("/me/import", content=first)).json()
    assert (again["added"], again["forgotten"]) == (0, 1)


async def test_a_dry_run_of_an_import_writes_nothing(http: httpx.AsyncClient) -> None:
    export = json.dumps([claude("c", ("human", "One?"), ("assistant", "1")), {}])
    preview = (await http.post("/me/import?dry_run=true", content=export)).json()
    assert (preview["episodes"], preview["new"], preview["left_out"]) == (1, 1, 1)
    assert (await http.get("/me/export")).content == b""
    imported = (await http.post("/me/import", content=export)).json()
    assert (imported["added"], imported["problems"]) == (1, preview["problems"])
    assert (await http.post("/me/import?dry_run=true", content=export)).json()["known"] == 1
    assert (await http.post("/me/import?dry_run=true", content=b"x")).status_code == 422
