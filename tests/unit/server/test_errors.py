"""What an error is over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from personaagent.core.errors import LimitReached, PersonaAgentError, UsageError
from personaagent.server.error_handlers import TOO_BUSY, add_error_handlers
from personaagent.server.errors import sentence, status_of


def classes(of: type[PersonaAgentError] = PersonaAgentError) -> Iterator[type[PersonaAgentError]]:
    for each in of.__subclasses__():
        if each.__module__ == "personaagent.core.errors":
            yield each
            yield from classes(each)


@pytest.mark.parametrize("kind", sorted({*classes()}, key=str), ids=lambda kind: kind.__name__)
def test_whose_fault_it_is_says_whether_users_read_its_sentence(
    kind: type[PersonaAgentError],
) -> None:
    error = kind("At http://10.1.2.3.")
    if kind.__name__ != "ToldError":  # the operator's, told by its kind
        assert kind.for_users == (status_of(error) < 500)
    assert (sentence(error) == str(error)) == kind.for_users


async def answered(error: Exception) -> httpx.Response:
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        return await http.get("/")


def of_the_api(status: int, **body: Any) -> httpx.HTTPStatusError:
    request = httpx.Request("DELETE", "http://localhost/threads/t")
    response = httpx.Response(status, request=request, **body)
    return httpx.HTTPStatusError(f"{status} for {request.url}", request=request, response=response)


@pytest.mark.parametrize("status", [400, 404, 405, 408, 500, 502, 503])
async def test_what_the_servers_own_api_trips_over_is_not_the_callers_fault(status: int) -> None:
    answer = await answered(of_the_api(status, json={"detail": "Thread t not found"}))
    assert (answer.status_code, answer.json()) == (503, {"detail": TOO_BUSY})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"json": {"detail": "It runs already."}}, "It runs already."),
        ({"json": {"error": "conflict", "message": "It runs already."}}, "It runs already."),
        ({"json": ["?"]}, TOO_BUSY),
        ({"text": "<html>"}, TOO_BUSY),
    ],
)
@pytest.mark.parametrize("status", [401, 403, 409, 413, 422, 429])
async def test_what_is_the_callers_is_told(status: int, body: dict[str, Any], told: str) -> None:
    answer = await answered(of_the_api(status, **body))
    assert (answer.status_code, answer.json()) == (status, {"detail": told})


async def test_a_sentence_over_http_names_no_command() -> None:
    answer = await answered(UsageError("There is no rule 'r1': see `personaagent persona show`."))
    assert answer.json() == {"detail": "There is no rule 'r1'."}
    spent = await answered(LimitReached("Your day is spent.", retry_after=60))
    assert (spent.status_code, spent.json()["detail"]) == (429, "Your day is spent.")
