"""Which proxy an address goes through, and which proxies cannot be used."""

import importlib.util

import pytest

from personaagent.core.errors import ConfigurationError
from personaagent.models.proxies import is_loopback, proxy_for

REMOTE = "https://models.example/v1"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variable", "url", "goes_through"),
    [
        ("HTTPS_PROXY", REMOTE, True),
        ("https_proxy", REMOTE, True),
        ("ALL_PROXY", REMOTE, True),
        ("HTTP_PROXY", REMOTE, False),
        ("HTTP_PROXY", "http://models.example/v1", True),
    ],
)
def test_each_scheme_has_its_variable(
    variable: str, url: str, goes_through: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    assert (proxy_for(url) == "http://proxy.example:3128") is goes_through


def test_a_proxy_without_a_scheme_speaks_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy_for(REMOTE) == "http://proxy.example:3128"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "models.localhost",
        "127.0.0.1",
        "127.9.8.7",
        "[::1]",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
    ],
)
@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", "socks5://proxy.example:1080", "?"])
def test_this_machine_needs_no_proxy_whatever_that_is(
    host: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    assert proxy_for(f"http://{host}:8000/v1") is None


def test_another_machine_is_not_this_one() -> None:
    assert not any(
        map(is_loopback, ["10.0.0.1", "models.example", "localhost.example", "128.0.0.1"])
    )


@pytest.mark.parametrize(
    ("exceptions", "host", "excepted"),
    [
        ("models.example", "models.example", True),
        ("MODELS.example", "models.EXAMPLE", True),
        ("example", "models.example", True),
        (".example", "models.example", True),
        ("*.example", "models.example", True),
        ("a.test, .example ,b.test", "models.example", True),
        ("a.test .example", "models.example", True),
        ("*", "models.example", True),
        ("https://models.example", "models.example", True),
        ("models.example:443", "models.example", True),
        ("models.example:443", "models.example:8443", False),
        ("models.example:8443", "models.example:8443", True),
        ("xample", "models.example", False),
        ("", "models.example", False),
        (",.", "models.example", False),
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.0/8", "10.200.3.4", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.7:443", "10.0.0.7", True),
        ("fd00::/8", "[fd12::1]", True),
        ("[fd12::1]", "[fd12::1]", True),
        ("[fd12::1]:8443", "[fd12::1]", False),
        ("fd12::1", "[fd12::2]", False),
        ("not:a:port", "models.example", False),
    ],
)
def test_what_no_proxy_names_is_excepted(
    exceptions: str, host: str, excepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert (proxy_for(f"https://{host}/v1") is None) is excepted


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://user:secret@proxy.example:1080",
        "socks5h://proxy.example:1080",
        "socks4://proxy.example:1080",
        "ftp://proxy.example",
        "http://",
        "http://proxy.example:port",
        "http://proxy.example:0",
        "http://proxy example:3128",
        "http://[::1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personaagent.models.proxies.find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="ALL_PROXY") as caught:
        proxy_for(REMOTE)
    assert "models.example to NO_PROXY" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_socks_proxy_is_used_where_the_package_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = importlib.util.find_spec("json")
    monkeypatch.setattr("personaagent.models.proxies.find_spec", lambda name: found)
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example:1080")
    assert proxy_for(REMOTE) == "socks5://proxy.example:1080"
