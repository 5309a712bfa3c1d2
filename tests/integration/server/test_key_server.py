"""Tokens of a key server: fetched over HTTP, believed by its keys alone."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from langgraph_sdk import Auth
from starlette.exceptions import HTTPException

from personaagent.core.errors import TokenRefused
from personaagent.core.once import Once
from personaagent.core.settings import Settings
from personaagent.server import auth
from personaagent.server.identity import Tokens
from tests.support.tokens import by_hand, claims

ISSUER = "https://login.example"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
KEYS = {"rsa": (RSA, "RS256"), "ec": (EC, "ES256")}


@dataclass
class KeyServer:
    """A running key server: its address, what it answers, and how often it was asked."""

    url: str = ""
    body: bytes = b""
    asked: list[str] = field(default_factory=list)

    def tokens(self) -> Tokens:
        return Tokens(Settings(auth_jwks_url=self.url, auth_issuer=ISSUER))


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    served = KeyServer(body=json.dumps({"keys": [shown(kid) for kid in KEYS]}).encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served.body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/keys"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def shown(kid: str) -> dict[str, Any]:
    """The key as the key server shows it."""
    key, algorithm = KEYS[kid]
    public = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return public | {"kid": kid, "use": "sig", "alg": algorithm}


def signed(kid: str = "rsa", **changed: Any) -> str:
    """A token of Ana's by the key server's issuer."""
    key, algorithm = KEYS[kid]
    return jwt.encode(claims(iss=ISSUER) | changed, key, algorithm, headers={"kid": kid})


@pytest.mark.parametrize("kid", KEYS)
async def test_the_keys_of_a_key_server_are_believed(key_server: KeyServer, kid: str) -> None:
    assert await key_server.tokens().user(signed(kid)) == "ana"


def confused() -> str:
    """A token whose HMAC secret is the public key of the key server, as everybody can read it."""
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = by_hand({"alg": "HS256", "kid": "rsa"}, claims(iss=ISSUER)).removesuffix(".")
    signature = hmac.digest(public, unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "forged",
    [
        jwt.encode(claims(iss=ISSUER), OTHER, "RS256", headers={"kid": "rsa"}),
        jwt.encode(claims(iss=ISSUER), OTHER, "RS256", headers={"kid": "unknown"}),
        jwt.encode(claims(iss=ISSUER), RSA, "RS256"),
        confused(),
        jwt.encode(claims(iss=ISSUER), "s" * 32, "HS256", headers={"kid": "rsa"}),
        jwt.encode(claims(iss=ISSUER), None, "none", headers={"kid": "rsa"}),
        jwt.encode(claims(iss=ISSUER), EC, "ES256", headers={"kid": "rsa"}),
        jwt.encode(claims(iss=ISSUER), RSA, "PS256", headers={"kid": "rsa"}),
        jwt.encode(claims(), RSA, "RS256", headers={"kid": "rsa"}),
    ],
    ids=[
        "key",
        "kid",
        "no kid",
        "confused",
        "HS256",
        "none",
        "other key",
        "other algorithm",
        "issuer",
    ],
)
async def test_what_no_key_of_the_key_server_signed_is_refused(
    key_server: KeyServer, forged: str
) -> None:
    with pytest.raises(TokenRefused):
        await key_server.tokens().user(forged)


async def test_the_key_server_is_asked_once_for_many_tokens(key_server: KeyServer) -> None:
    checking = key_server.tokens()
    for number in range(20):
        assert await checking.user(signed()) == "ana"
        forged = jwt.encode(claims(), OTHER, "RS256", headers={"kid": str(number)})
        with pytest.raises(TokenRefused):
            await checking.user(forged)
    assert len(key_server.asked) == 1, "unknown keys make it no busier"


async def test_the_server_lets_in_whom_such_a_token_names(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "tokens", Once(key_server.tokens))
    user = await auth.authenticate({b"Authorization": f"Bearer {signed('ec')}".encode()})
    assert user["identity"] == "ana"
    with pytest.raises(Auth.exceptions.HTTPException) as refused:
        await auth.authenticate({"authorization": f"bearer {signed(exp=1)}"})
    assert refused.value.status_code == 401
    assert "expired" in refused.value.detail


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"keys": []}', None])
async def test_a_key_server_that_gives_no_keys_is_no_fault_of_the_token(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch, body: bytes | None
) -> None:
    if body is None:
        key_server.url = "http://127.0.0.1:9/keys"
    else:
        key_server.body = body
    monkeypatch.setattr(auth, "tokens", Once(key_server.tokens))
    with pytest.raises(HTTPException) as failed:
        await auth.authenticate({"authorization": f"Bearer {signed()}"})
    assert failed.value.status_code == 503
