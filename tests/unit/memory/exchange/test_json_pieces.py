"""The objects of a file are found by their brackets, wherever it is read in parts."""

import io
import json

import pytest

from personaagent.memory.exchange import json_pieces
from personaagent.memory.exchange.json_pieces import Broken, read_pieces

VALUES = [{"a": 'x"y\\'}, {"b": {"c": [1, {"d": "]}"}]}}, {"e": "\\\\"}, {"f": "\u00e9{"}]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_where_a_part_ends_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, size: int, ensure_ascii: bool
) -> None:
    monkeypatch.setattr(json_pieces, "_CHUNK", size)
    text = json.dumps(VALUES, ensure_ascii=ensure_ascii).encode()
    assert [*read_pieces(io.BytesIO(text), 1)] == VALUES


def test_what_is_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "_CHUNK", 10)
    monkeypatch.setattr(json_pieces, "LONGEST", 100)
    first, second = read_pieces(io.BytesIO(b'{"a": 1}{"b": "' + b"x" * 500 + b'"}'), 0)
    assert first == {"a": 1}
    assert isinstance(second, Broken)
