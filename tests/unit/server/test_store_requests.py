"""What a client may ask of the store."""

from typing import Any

import pytest

from personaagent.core.errors import UsageError
from personaagent.server.store_requests import check_store_request


@pytest.mark.parametrize(
    "asked",
    [
        {"namespace_prefix": ["users", ".."]},
        {"namespace_prefix": ["users", "a.b"]},
        {"namespace_prefix": ["users", ""]},
        {"namespace_prefix": ["users", "a\x00"]},
        {"namespace_prefix": ["users", 7]},
        {"namespace_prefix": "users"},
        {"prefix": ["users", "\ud800"]},
        {"suffix": [".."]},
        {"namespace": ["users", ".."]},
        {"filter": {"a": {"b": {"c": 1}}}},
        {"filter": {"a": {"b": 1}}},
        {"filter": {"a": {}}},
        {"filter": {"a": {"$gt": {"$gt": 1}}}},
        {"filter": {"a": {"$or": []}}},
        {"filter": {"a": [1, 2]}},
        {"filter": {"$and": [{"a": 1}]}},
        {"filter": {"a'); --": 1}},
        {"filter": {"": 1}},
        {"filter": {"a": "\x00"}},
        {"filter": {"a": float("nan")}},
        {"filter": {"a": 10**400}},
        {"filter": [1]},
        {"limit": -1},
        {"limit": 10**30},
        {"offset": "1"},
        {"max_depth": True},
        {"query": "a\x00"},
        {"query": ["a"]},
        {"key": "a\x00"},
    ],
    ids=lambda asked: ascii(asked)[:60],
)
def test_what_no_store_can_be_asked_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        check_store_request(asked)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"namespace_prefix": []},
        {"namespace_prefix": ["users", "a b", "Ä"], "limit": 10, "offset": 0, "filter": None},
        {"filter": {"task": "walks", "signal": None, "n": 1.5, "ok": True}},
        {"filter": {"time": {"$gte": "2026", "$lt": "2027"}, "metadata.tools": "x"}},
        {"query": "walks", "max_depth": 2, "suffix": ["episodes"]},
    ],
    ids=str,
)
def test_what_a_store_can_be_asked_passes(asked: dict[str, Any]) -> None:
    check_store_request(asked)
