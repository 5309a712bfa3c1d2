"""What the server says to the page about the issuer, and which settings it refuses."""

from typing import Any

import httpx
import pytest

from personaagent.core.errors import ConfigurationError
from personaagent.core.once import Once
from personaagent.core.settings import Settings
from personaagent.server.app import app
from personaagent.server.identity import Tokens
from personaagent.server.routes import sign_in

ISSUER = {
    "auth_client_id": "page",
    "auth_issuer": "https://Login.example:8443/realm/",
    "auth_jwks_url": "https://login.example:8443/keys",
}


def tokens(**settings: Any) -> Tokens:
    return Tokens(Settings(**settings))


async def test_the_page_is_told_where_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ISSUER | {"auth_token_origin": "https://token.example", "auth_scopes": "memory"}
    monkeypatch.setattr(sign_in, "tokens", Once(lambda: tokens(**settings)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        answer = (await http.get("/sign-in")).json()
    assert answer == {
        "tokens": True,
        "openid": {
            "issuer": "https://Login.example:8443/realm/",
            "client_id": "page",
            "scopes": "memory",
            "audience": "personaagent",
            "origins": ["https://login.example:8443", "https://token.example"],
        },
    }


def test_without_a_client_id_a_token_is_pasted() -> None:
    assert tokens().openid is None
    assert tokens(**(ISSUER | {"auth_client_id": None})).openid is None


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_an_issuer_on_this_machine_may_be_asked_without_tls(host: str) -> None:
    openid = tokens(**(ISSUER | {"auth_issuer": f"http://{host}"})).openid
    assert openid is not None
    assert openid.origins == (f"http://{host}",)


@pytest.mark.parametrize(
    "address",
    [
        "login.example",
        "personaagent",
        "http://login.example",
        "ftp://login.example",
        "https://",
        "https://[::1",
        "https://login.example;script-src *",
        "https://login.example *",
        "https://*",
        "https://ana@login.example",
    ],
)
@pytest.mark.parametrize("name", ["auth_issuer", "auth_token_origin"])
def test_an_address_that_no_page_may_ask_is_refused(name: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match=name.upper()):
        tokens(**(ISSUER | {name: address}))


def test_a_client_id_without_keys_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="AUTH_JWKS_URL"):
        tokens(auth_client_id="page", auth_secret="a secret of the tests, and of nobody else")
