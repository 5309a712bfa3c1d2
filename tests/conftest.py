"""What holds for all tests: their markers, and how they begin."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import marks

TESTS = Path(__file__).parent
BY_FOLDER = ("integration", "server")
STARTS_A_SERVER = {"backend", "database", "open_server", "server", "token_server"}
"""Fixtures whose tests are server tests wherever they stand."""


def pytest_configure() -> None:
    """Let Ctrl-C reach child processes: where a shell starts tests in the background, it does not.

    No example of Hypothesis has a time limit: on a busy machine any is slow once.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and as a server test if a fixture of its starts one."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in BY_FOLDER:
            item.add_marker(folder)
        if not STARTS_A_SERVER.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("server")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let what starts servers see whether the test may."""
    marks.running = item
