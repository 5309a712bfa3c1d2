"""Who gets answers without tokens: the developer on this machine, and nobody else."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

USER_HEADER = "x-user-id"
"""The header in which the developer names the user."""
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
STUDIO = "smith.langchain.com"
"""LangGraph Studio is a page of this host, or one below it, in the developer's browser."""


def is_from_this_machine(headers: Mapping[str, str], scope: Mapping[str, Any]) -> bool:
    """Whether a request comes from this machine and, if a page sent it, from a page of ours or Studio.

    Every page in the developer's browser can send requests to loopback, under any name that
    resolves to it. So the page (``Origin``) and the name (``Host``) are checked too.
    """
    return (
        _is_loopback((scope.get("client") or ("",))[0])
        and not any(name in headers for name in PROXIED)
        and _is_here(f"//{headers.get('host', '')}")
        and ("origin" not in headers or _is_trusted(headers["origin"]))
    )


def _is_trusted(origin: str) -> bool:
    host = _host(origin)
    return _is_here(origin) or host == STUDIO or host.endswith(f".{STUDIO}")


def _is_here(address: str) -> bool:
    host = _host(address)
    return host == "localhost" or _is_loopback(host)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # not an address
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
