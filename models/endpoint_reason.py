"""An endpoint's own reason for a failure, out of the many bodies in which endpoints send it."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

REASON_CHARS = 200
"""How much of an endpoint's reason is quoted."""

KEY_CHARS = 8
"""A shorter key may be part of any word."""

FIELDS = ("metadata", "error", "message", "detail", "errors", "msg", "reason", "title", "code")
"""Where a reason may stand, the nearest to its source first: OpenRouter puts what the provider behind
it said into ``metadata.raw``, and "Provider returned error" into ``message``."""

PREFIX = re.compile(r"^(Error code: \d+ - |litellm\.|[A-Za-z]+(Error|Exception)( -|:) )+")
SECRET = re.compile(r"\b(?:(?:sk|gsk|csk|pk|xai|hf)[-_][\w*.-]{6,}|AIza[\w*-]{6,}|Bearer \S+)")


def reason_of(error: BaseException) -> str:
    """What the endpoint said when it failed, in one line; without keys that it quotes.

    OpenAI and most others send ``{"error": {"message"}}``, Gemini a list of such, Ollama and others
    ``{"error": "..."}``, Mistral ``{"message"}`` or, as every FastAPI server, ``{"detail": [{"loc",
    "msg"}]}``, gateways a page of HTML.
    """
    line = whole_reason_of(error).rstrip(".")
    return line if len(line) <= REASON_CHARS else f"{line[:REASON_CHARS]}…"


def whole_reason_of(error: BaseException) -> str:
    """The same, however long."""
    body = getattr(error, "body", None)
    found = _text(body) if body else ""
    line = " ".join((found or str(getattr(error, "message", error))).split())
    if len(key := _key(error)) >= KEY_CHARS:
        line = line.replace(key, "(the key)")
    return SECRET.sub("(a key)", PREFIX.sub("", line))


def _key(error: BaseException) -> str:
    """The key that the request was sent with."""
    request = getattr(error, "request", None)
    return request.headers.get("authorization", "").removeprefix("Bearer ") if request else ""


def parameters_named(error: BaseException) -> list[str]:
    """The parameters that the body of ``error`` names in a field of its own (``param``, ``loc``)."""
    body = getattr(error, "body", None)
    return [name for name in _params(body) if name not in ("", "None", "null")]


def _text(body: Any) -> str:
    match body:
        case str():
            return _of_string(body.strip())
        case Mapping():
            return _of_mapping(body)
        case list() if body:
            return "; ".join(filter(None, map(_text, body[:3])))
        case int():
            return f"code {body}"
        case _:
            return ""


def _of_mapping(body: Mapping[Any, Any]) -> str:
    if "loc" in body and "msg" in body:
        return f"{'.'.join(map(str, body['loc']))}: {body['msg']}"
    if raw := body.get("raw"):
        return _text(raw)
    return next(filter(None, (_text(body[field]) for field in FIELDS if body.get(field))), "")


def _of_string(text: str) -> str:
    if text.startswith(("{", "[")):
        try:
            return _text(json.loads(text)) or text
        except ValueError:
            return text
    if text.startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return html.unescape(title[1] if title else re.sub(r"<[^>]*>", " ", text)).strip()
    return text


def _params(body: Any) -> list[str]:
    match body:
        case str() if body.strip().startswith(("{", "[")):
            try:
                return _params(json.loads(body))
            except ValueError:
                return []
        case list():
            return [name for each in body for name in _params(each)]
        case Mapping():
            loc = body.get("loc")
            own = [str(part) for part in loc if part != "body"][:1] if isinstance(loc, list) else []
            param = body.get("param")
            own += [re.split(r"[.\[]", param)[0]] if isinstance(param, str) else []
            inner = ("error", "detail", "metadata", "raw", "errors")
            return own + [name for key in inner if key in body for name in _params(body[key])]
        case _:
            return []
