"""Ids named by their first characters."""

import pytest

from personaagent.core.errors import UsageError
from personaagent.core.ids import match_prefix, may_be_prefix, short_id, shorten_ids

IDS = [
    "3f2a90bc11d04e55",
    "3f2a77bc11d04e55",
    "aa00c8ee-92c1-4bb1-9d83-3d1d9f5f2f10",
    "trip-to-rome",
]


def test_a_unique_beginning_names_its_id() -> None:
    assert match_prefix("3f2a9", IDS) == IDS[0]
    assert match_prefix("aa00c8ee-9", IDS) == IDS[2]
    assert match_prefix("beef", IDS) is None


def test_an_ambiguous_beginning_names_the_candidates() -> None:
    with pytest.raises(UsageError, match="'3f2a' is the beginning of 2 ids: 3f2a77bc, 3f2a90bc"):
        match_prefix("3f2a", IDS)
    with pytest.raises(UsageError, match="2 ids: 3f2a90bc1, 3f2a90bc2"):
        match_prefix("3f2a", ["3f2a90bc11d04e55", "3f2a90bc21d04e55"])


@pytest.mark.parametrize("text", ["3f2", "trip", "3F2A", "", "0" * 32])
def test_what_is_too_short_chosen_or_a_full_id_is_no_prefix(text: str) -> None:
    assert not may_be_prefix(text)


def test_short_ids_are_cut_only_where_they_were_generated() -> None:
    assert [short_id(id) for id in IDS] == ["3f2a90bc", "3f2a77bc", "aa00c8ee", "trip-to-rome"]


def test_ids_in_a_text_are_cut_and_its_words_are_not() -> None:
    assert shorten_ids(f"recalled {IDS[0]}, decade, 2026-11-28") == (
        "recalled 3f2a90bc, decade, 2026-11-28"
    )
