"""An OpenID Connect issuer on loopback: real codes, PKCE and RS256 tokens, for people who press a link.

    with scripted_issuer() as issuer:
        issuer.settings      # what a server is given to believe its tokens

``POST /control`` (JSON) changes how it behaves, ``GET /seen`` says what it was asked for.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "the page"
PEOPLE = {"ana": "Ana Née", "ben": "Ben"}
Query = dict[str, str]
ORDINARY: dict[str, Any] = {
    "lifetime": 3600,  # seconds
    "refresh": True,  # whether a refresh token may be used
    "nonce": None,  # another nonce than the one asked for
    "audience": "personaagent",
    "cors": True,  # whether pages may ask
}


class Refused(Exception):
    """An error of OAuth: its code."""


@dataclass
class Issuer:
    """A running issuer: its address, how it behaves, and what it has given."""

    url: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    behaviour: dict[str, Any] = field(default_factory=lambda: dict(ORDINARY))
    seen: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Query] = field(default_factory=dict)
    refreshes: dict[str, Query] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """What a server is given to believe its tokens, and the page to sign in here."""
        return {
            "PERSONAAGENT_AUTH_ISSUER": self.url,
            "PERSONAAGENT_AUTH_JWKS_URL": f"{self.url}/keys",
            "PERSONAAGENT_AUTH_CLIENT_ID": CLIENT,
        }

    def discovery(self) -> dict[str, Any]:
        """Where everything is."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "revocation_endpoint": f"{self.url}/revoke",
            "end_session_endpoint": f"{self.url}/out",
            "jwks_uri": f"{self.url}/keys",
            "scopes_supported": ["openid", "offline_access"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def keys(self) -> dict[str, Any]:
        """The public key."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]}

    def choice(self, asked: Query) -> str:
        """The page on which people say who they are."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"] == "openid offline_access"
        links = [
            f'<p><a href="/allow?{escape(urlencode(asked | {"user": user}))}">I am {user}</a></p>'
            for user in (*PEOPLE, "nobody")
        ]
        return "<title>Who are you?</title>" + "".join(links)

    def allow(self, asked: Query) -> str:
        """Where a person goes who has said who they are, with a code or an error."""
        answer = {"state": asked["state"], "iss": self.url}
        if asked["user"] in PEOPLE:
            code = secrets.token_urlsafe()
            self.codes[code] = asked
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def tokens(self, asked: Query) -> dict[str, Any]:
        """Tokens for a code or a refresh token, each good for one use."""
        if asked["client_id"] != CLIENT or "client_secret" in asked:
            raise Refused("invalid_client")
        kind = asked["grant_type"]
        self.seen[kind] += 1
        granted = self._by_code(asked) if kind == "authorization_code" else self._by_refresh(asked)
        now = int(time.time())
        lifetime = self.behaviour["lifetime"]
        said = {"iss": self.url, "sub": granted["user"], "iat": now, "jti": secrets.token_hex()}
        refresh = secrets.token_urlsafe()
        self.refreshes[refresh] = granted
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "refresh_token": refresh,
            "access_token": self._signed(
                said | {"aud": self.behaviour["audience"], "exp": now + lifetime}
            ),
            "id_token": self._signed(
                said
                | {"aud": CLIENT, "exp": now + 3600, "name": PEOPLE[granted["user"]]}
                | {"nonce": self.behaviour["nonce"] or granted["nonce"]}
            ),
        }

    def _by_code(self, asked: Query) -> Query:
        granted = self.codes.pop(asked["code"], None)
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            not granted
            or granted["code_challenge"] != challenge
            or granted["redirect_uri"] != asked["redirect_uri"]
        ):
            raise Refused("invalid_grant")
        return granted

    def _by_refresh(self, asked: Query) -> Query:
        granted = self.refreshes.pop(asked["refresh_token"], None)
        if not granted or not self.behaviour["refresh"]:
            raise Refused("invalid_grant")
        return granted

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.key, "RS256", headers={"kid": "1"})


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        match urlsplit(self.path).path:
            case "/.well-known/openid-configuration":
                self._json(self.issuer.discovery())
            case "/keys":
                self._json(self.issuer.keys())
            case "/seen":
                self._json(self.issuer.seen)
            case "/authorize":
                self._send(200, self.issuer.choice(asked).encode(), "text/html")
            case "/allow":
                self._redirect(self.issuer.allow(asked))
            case "/out":
                self.issuer.seen["out"] += bool(asked["id_token_hint"])
                self._redirect(asked["post_logout_redirect_uri"])
            case _:
                self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/control":
            self.issuer.behaviour.update(ORDINARY | json.loads(body))
            self._json({})
            return
        asked = dict(parse_qsl(body))
        if self.path == "/revoke":
            self.issuer.seen["revoked"] += bool(self.issuer.refreshes.pop(asked["token"], None))
            self._json({})
            return
        try:
            self._json(self.issuer.tokens(asked))
        except Refused as refused:
            self._send(400, json.dumps({"error": str(refused)}).encode(), "application/json")

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), "application/json")

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.issuer.behaviour["cors"]:
            self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def scripted_issuer() -> Iterator[Issuer]:
    """Run the issuer until the block is left."""
    issuer = Issuer()
    handler = type("Handler", (_Handler,), {"issuer": issuer})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
