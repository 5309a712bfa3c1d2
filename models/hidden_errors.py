"""Errors that an endpoint sends with HTTP 200, as if they were answers."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

UNKNOWN = 500
"""The status of an error that names none: the other side failed, and may not the next time."""

STATUS_OF_WORDS = (
    (re.compile(r"quota|rate.?limit|too.?many|throttl|insufficient.?balance"), 429),
    (re.compile(r"api.?key|authenticat|unauthor"), 401),
    (re.compile(r"permission|forbidden|access.?denied"), 403),
    (re.compile(r"model.?not|not.?found|unknown.?model"), 404),
    (re.compile(r"overload|unavailable|capacity"), 503),
    (re.compile(r"invalid.?request|bad.?request|context.?length|content.?filter|moderation"), 400),
)
"""What codes and types of errors mean; they stand where others send a number."""

MINIMAX = {1002: 429, 1004: 401, 1008: 429, 1026: 400, 1027: 400, 1039: 429, 2013: 400, 2049: 401}
"""Codes of its ``base_resp``, which it sends with HTTP 200 only."""


async def show_hidden_errors(response: "httpx2.Response") -> None:
    """Give a response with HTTP 200 whose body is an error the status of that error.

    A hook of the HTTP client: from there on, all treat it as any other error, retries included.
    One that stands deeper in a reply is left to the reader of replies, who says it in words.
    """
    if response.status_code != 200 or "json" not in response.headers.get("content-type", ""):
        return
    try:
        body = json.loads(await response.aread())
    except ValueError:
        return
    is_reply = isinstance(body, Mapping) and "choices" in body and not body.get("error")
    if not is_reply and (found := hidden_error(body)) is not None:
        response.status_code = found[0]


def hidden_error(body: Any) -> tuple[int, Any] | None:
    """The HTTP status and the error in ``body``, if it is or holds an error."""
    if isinstance(body, list):
        return hidden_error(body[0]) if body else None
    if not isinstance(body, Mapping):
        return None
    if error := _error_of(body):
        return _status(body, error), error
    return _base_resp(body.get("base_resp"))


def _error_of(body: Mapping[str, Any]) -> Any:
    choices = body.get("choices")
    if error := body.get("error"):
        return error
    if body.get("object") == "error" or body.get("type") == "error":
        return body
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return choices[0].get("error")
    is_answer = any(key in body for key in ("choices", "data", "usage", "results"))
    if not is_answer and (errors := body.get("errors")):
        return errors[0] if isinstance(errors, list) else errors
    texts = (body.get(key) for key in ("message", "detail", "msg", "error_msg"))
    return body if not is_answer and any(isinstance(text, str) for text in texts) else None


def _base_resp(answer: Any) -> tuple[int, Any] | None:
    if not isinstance(answer, Mapping) or not (code := answer.get("status_code")):
        return None
    return MINIMAX.get(code, UNKNOWN), {"message": answer.get("status_msg") or f"code {code}"}


def _status(body: Mapping[str, Any], error: Any) -> int:
    """The status that the error names, or what its code, type or text means."""
    fields = error if isinstance(error, Mapping) else {"message": error}
    names = ("code", "status", "status_code", "http_code", "http_status")
    for number in (str(each.get(name)) for each in (fields, body) for name in names):
        if number.isdecimal() and 400 <= int(number) < 600:
            return int(number)
    words = " ".join(str(fields.get(name) or "") for name in ("code", "type", "status")).lower()
    texts = words if words.strip() else str(fields.get("message") or "").lower()
    return next((status for known, status in STATUS_OF_WORDS if known.search(texts)), UNKNOWN)
