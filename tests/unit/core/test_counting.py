"""Counts that agree with what they count."""

import pytest

from personaagent.core.counting import counted


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (1200, "1,200 calls")]
)
def test_a_count_agrees(count: int, shown: str) -> None:
    assert counted(count, "call") == shown


def test_an_irregular_plural_is_given() -> None:
    assert [counted(n, "was", "were") for n in (1, 3)] == ["1 was", "3 were"]
