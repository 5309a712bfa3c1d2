"""What the tests of the graphs share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agent import Agent


@pytest.fixture
def agent(tmp_path: Path) -> Callable[..., Agent]:
    return lambda responder, **settings: Agent(tmp_path, responder, **settings)
