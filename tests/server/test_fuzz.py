"""Our routes against our own OpenAPI: whatever it allows, and what it does not, ends as it says."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from personaagent.server.routes.backup import ZIP
from personaagent.server.streams import LINES
from tests.support.server import Server

OURS = "^/(me|v1|health|ready|metrics/personaagent)($|/)"
NEVER_MADE_WRONG = "/(feedback|import|completions)$"
"""Where the body is a choice of forms, or any text, or may hold more than is read: schemathesis can make
nothing wrong of that."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KNOWN = {"episode": "e1", "rule": "r1", "version": 1}
fuzzed = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@schemathesis.serializer(LINES, ZIP)
def as_lines(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture(scope="module")
def ours(token_server: Server) -> BaseSchema:
    """Our part of what the server says of itself."""
    spec = httpx.get(f"{token_server.url}/openapi.json").json()
    spec.pop("security", None)  # so that no case is spent on tokens
    served = schemathesis.openapi.from_dict(spec)
    served.config.update(base_url=token_server.url)
    served.config.generation.allow_extra_parameters = False  # which are ignored
    return served.include(path_regex=OURS)


@pytest.fixture
def headers(token_server: Server) -> dict[str, str]:
    """Somebody who has an episode."""
    headers = token_server.headers("fuzzer")
    line = b'{"id": "e1", "query": "A question?", "response": "An answer."}'
    with httpx.Client(base_url=token_server.url, headers=headers, timeout=60) as http:
        http.post("/me/import", content=line).raise_for_status()
    return headers


def test_what_our_openapi_allows_ends_as_it_says(ours: BaseSchema, headers: dict[str, str]) -> None:
    for operation in ours.get_all_operations():

        @fuzzed
        @given(operation.ok().as_strategy(generation_mode=GenerationMode.POSITIVE))
        def ends_as_documented(case: Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        ends_as_documented()


def test_bodies_that_it_does_not_allow_are_refused(
    ours: BaseSchema, headers: dict[str, str]
) -> None:
    made_wrong = ours.exclude(path_regex=NEVER_MADE_WRONG)
    for operation in made_wrong.get_all_operations():

        @fuzzed
        @given(operation.ok().as_strategy(generation_mode=GenerationMode.NEGATIVE))
        def is_refused(case: Case) -> None:
            case.call_and_validate(headers=headers, checks=[*CHECKS, negative_data_rejection])

        if len(operation.ok().body):
            is_refused()


def test_so_does_what_is_asked_of_things_that_are_there(
    ours: BaseSchema, headers: dict[str, str]
) -> None:
    for operation in ours.get_all_operations():

        @fuzzed
        @given(operation.ok().as_strategy())
        def ends_as_documented(case: Case) -> None:
            case.path_parameters.update({k: KNOWN[k] for k in KNOWN.keys() & case.path_parameters})
            case.call_and_validate(headers=headers, checks=CHECKS)

        if KNOWN.keys() & {each.name for each in operation.ok().path_parameters}:
            ends_as_documented()
