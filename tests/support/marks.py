"""Which test runs now, so that what is slow to start can insist on its marker."""

import pytest

running: pytest.Item | None = None


def need_mark(name: str) -> None:
    """Fail where a test without this marker runs; outside of tests anything goes."""
    marked = running is None or running.get_closest_marker(name)
    assert marked, f"mark {running.nodeid if running else ''} with {name!r}, or move it"
