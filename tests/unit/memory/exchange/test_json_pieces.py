"""The objects of a file are found by their brackets, wherever it is read in parts."""

import io
import json
from typing import Any

import pytest

from personaagent.memory.exchange import json_pieces
from personaagent.memory.exchange.json_pieces import Broken, read_values

VALUES = [{"a": 'x"y\\'}, {"b": {"c": [1, {"d": "]}"}]}}, {"e": "\\\\"}, {"f": "\u00e9{"}]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_where_a_part_ends_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, size: int, ensure_ascii: bool
) -> None:
    monkeypatch.setattr(json_pieces, "_CHUNK", size)
    text = json.dumps(VALUES, ensure_ascii=ensure_ascii).encode()
    assert [*read_values(io.BytesIO(text), in_list=True)] == VALUES


def test_what_is_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "_CHUNK", 10)
    monkeypatch.setattr(json_pieces, "LONGEST", 100)
    text = b'{"a": 1}{"b": "' + b"x" * 500 + b'"}'
    first, second = read_values(io.BytesIO(text), in_list=False)
    assert first == {"a": 1}
    assert isinstance(second, Broken)


@pytest.mark.parametrize(
    ("text", "in_list", "expected"),
    [
        (b' [1, null, "a", {"b": []}, [2], 3] rest', True, [1, None, "a", {"b": []}, [2], 3]),
        (b'{"a": 1}\n{"b": 2}\n', False, [{"a": 1}, {"b": 2}]),
        (b'[{"a": 1}, nonsense, {"b": 2}]', True, [{"a": 1}, Broken, {"b": 2}]),
        (b'[{"a": 1}', True, [{"a": 1}, Broken]),
        (b'[{"a": 1}, {"b"', True, [{"a": 1}, Broken]),
        (b'{"a": 1} {"b"', False, [{"a": 1}, Broken]),
        (b'{"a": 1} nonsense', False, [{"a": 1}, Broken]),
        (b'[{"a": 1e999}]', True, [{"a": float("inf")}]),
        (b"[" + b"9" * 5000 + b"]", True, [Broken]),
        (b"[" * 100_000 + b"]" * 100_000, True, [Broken]),
        (b'[{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001 + b"]", True, [Broken]),
        (b'[{"a": 1}]\n\n[{"b": 2}]', True, [{"a": 1}, {"b": 2}]),
        (b'[{"a": 1}]\n[{"b"', True, [{"a": 1}, Broken]),
        (b'[{"a": 1}], "x": [{"b": 2}]}', True, [{"a": 1}]),
        (b'[{"a": 1}]}, [{"b": 2}]', True, [{"a": 1}]),
        (b'{"a": 1}{"b": 2', False, [{"a": 1}, Broken]),
        (b"", False, []),
        (b"[]", True, []),
    ],
)
def test_each_value_is_read_by_itself(text: bytes, in_list: bool, expected: list[Any]) -> None:
    values = [*read_values(io.BytesIO(text), in_list=in_list)]
    assert [Broken if isinstance(each, Broken) else each for each in values] == expected
