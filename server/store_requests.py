"""What a store is asked over LangGraph's own routes, checked before the store is: 422 where it is wrong.

The stores themselves fail on it, each on something else.
"""

import re
from collections.abc import Mapping
from typing import Any

from personaagent.core.errors import UsageError

OPERATORS = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
KEY = re.compile(r"[A-Za-z0-9_.-]{1,200}")
UNUSABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Characters that no label, key or text to search has."""
PLACES = ("namespace", "namespace_prefix", "prefix", "suffix")
NUMBERS = ("limit", "offset", "max_depth")
LARGEST = 1_000_000


def check_store_request(asked: Mapping[str, Any]) -> None:
    """Check what one of the store's routes is asked.

    Raises:
        UsageError: a place, filter, text or number is none that a store can be asked for.
    """
    for name in PLACES:
        _check_place(name, asked.get(name))
    for name in NUMBERS:
        _check_number(name, asked.get(name))
    for name in ("query", "key"):
        _check_text(name, asked.get(name))
    _check_filter(asked.get("filter"))


def _check_place(name: str, labels: Any) -> None:
    if labels is None:
        return
    if not isinstance(labels, list) or not all(map(_is_label, labels)):
        raise UsageError(f"`{name}` is a list of labels: texts without dots, none of them empty.")


def _is_label(label: Any) -> bool:
    return isinstance(label, str) and bool(label) and "." not in label and _is_usable(label)


def _is_usable(text: str) -> bool:
    return UNUSABLE.search(text) is None


def _check_number(name: str, number: Any) -> None:
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= LARGEST:
        raise UsageError(f"`{name}` is a whole number from 0 to {LARGEST}.")


def _check_text(name: str, text: Any) -> None:
    if text is not None and not (isinstance(text, str) and _is_usable(text)):
        raise UsageError(f"`{name}` is a text without control characters.")


def _check_filter(filter: Any) -> None:
    if filter is None:
        return
    if not isinstance(filter, Mapping):
        raise UsageError("`filter` is an object: names of fields, and their values.")
    for key, wanted in filter.items():
        if not KEY.fullmatch(key):
            raise UsageError("The names in `filter` are of letters, digits, '_', '-' and '.'.")
        _check_wanted(wanted)


def _check_wanted(wanted: Any) -> None:
    """A plain value, or an object of operators, each with a plain value."""
    values = [wanted]
    if isinstance(wanted, Mapping):
        if not wanted or not wanted.keys() <= set(OPERATORS):
            raise UsageError(f"A comparison in `filter` is one of {', '.join(OPERATORS)}.")
        values = list(wanted.values())
    if not all(map(_is_plain, values)):
        raise UsageError("The values in `filter` are texts, numbers, true, false or null.")


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return _is_usable(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return abs(value) < 2**63  # not so of NaN either
    return value is None or isinstance(value, bool)
