"""A model that knows of a dog what its prompt says."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.endpoint import Endpoint, Reply, scripted_endpoint


@pytest.fixture
def dog_endpoint() -> Iterator[Endpoint]:
    """Answers with what its prompt says of the dog."""

    def answer(body: dict[str, Any]) -> Reply:
        return "He is called Rex." if "Rex" in str(body["messages"]) else "I do not know."

    with scripted_endpoint(answer) as endpoint:
        yield endpoint
