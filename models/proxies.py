"""Which proxy of the environment a request goes through, if any."""

import os
from importlib.util import find_spec
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

from personaagent.core.errors import ConfigurationError

SOCKS = ("socks5", "socks5h")
PORTS = {"http": 80, "https": 443}


def proxy_for(url: str) -> str | None:
    """The address of the proxy that the environment names for ``url``; None if it needs none.

    ``HTTP_PROXY``, ``HTTPS_PROXY`` or ``ALL_PROXY``, else the system's. What is on this machine
    needs no proxy; nor does what ``NO_PROXY`` names: hosts, domains (``example.org``,
    ``.example.org``, ``*.example.org``), addresses, networks (``10.0.0.0/8``), each perhaps with a
    port, or ``*`` for all.

    Raises:
        ConfigurationError: the proxy of ``url`` cannot be used. Other proxies are not looked at.
    """
    from urllib.request import getproxies

    address = urlsplit(url)
    host = (address.hostname or "").rstrip(".")
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or is_loopback(host) or _is_excepted(address, proxies.get("no", "")):
        return None
    return _checked(proxy if "://" in proxy else f"http://{proxy}", address.scheme, host)


def proxy_setting(url: str) -> str | None:
    """The name of the variable that gives ``url`` its proxy; None if it has none.

    Raises:
        ConfigurationError: as ``proxy_for``.
    """
    return _variable(urlsplit(url).scheme) if proxy_for(url) else None


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine."""
    ip = _ip(host)
    if ip is None:
        return host == "localhost" or host.endswith(".localhost")
    return ip.is_loopback or ip.is_unspecified


def _is_excepted(address: SplitResult, exceptions: str) -> bool:
    from urllib.request import proxy_bypass

    host, port = (address.hostname or "").rstrip("."), address.port or PORTS.get(address.scheme)
    entries = exceptions.replace(",", " ").lower().split()
    if any(_names(entry, host, port) for entry in entries):
        return True
    return not exceptions and bool(proxy_bypass(host))


def _names(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of ``NO_PROXY`` names the host."""
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2]
    if (ip := _ip(host)) and (network := _network(entry)):
        return ip in network
    try:
        named = urlsplit(f"//{entry}")
        named_host, named_port = named.hostname or "", named.port
    except ValueError:
        return False
    domain = named_host.removeprefix("*").strip(".")
    same_host = host == domain or host.endswith(f".{domain}")
    return bool(domain) and same_host and named_port in (None, port)


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _checked(proxy: str, scheme: str, host: str) -> str:
    """``proxy``, if a client can use it.

    Raises:
        ConfigurationError: it is no address, or of a kind that nothing here speaks.
    """
    variable, address = _variable(scheme), _parsed(proxy)
    instead = f"correct {variable}, or add {host} to NO_PROXY if it needs no proxy."
    if address is None:
        raise ConfigurationError(
            f"{variable} is no address of a proxy: it should look like "
            f"http://proxy.example:3128; {instead}"
        )
    if address.scheme in SOCKS and find_spec("socksio") is None:
        raise ConfigurationError(
            f"{variable} names a SOCKS proxy, which needs the package socksio: "
            f"install it (pip install socksio), or add {host} to NO_PROXY if it needs no proxy."
        )
    if address.scheme not in ("http", "https", *SOCKS):
        raise ConfigurationError(
            f"{variable} names a proxy of an unknown kind ({address.scheme}): {instead}"
        )
    return proxy


def _parsed(proxy: str) -> SplitResult | None:
    """The parts of the address; None if it is none."""
    try:
        address = urlsplit(proxy)
        has_port = address.port != 0
    except ValueError:
        return None
    return address if address.hostname and has_port and not set(proxy) & set(" \t\r\n") else None


def _variable(scheme: str) -> str:
    """What names the proxy for addresses of ``scheme``."""
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), "the system's proxy setting")
