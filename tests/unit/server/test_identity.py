"""Whom a token names, and which tokens are refused; who may ask without one."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from personaagent.core.errors import ConfigurationError, TokenRefused
from personaagent.core.settings import Settings, load_settings
from personaagent.server.dev_auth import is_from_this_machine
from personaagent.server.identity import Tokens
from tests.support.tokens import by_hand, claims

SECRET = "a secret of the tests, and of nobody else"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def tokens(**settings: Any) -> Tokens:
    return Tokens(Settings(**settings))


async def test_a_minted_token_names_its_user() -> None:
    minting = tokens(auth_secret=SECRET)
    token = minting.mint("Ana Née", datetime.now(UTC) + timedelta(hours=1))
    assert await minting.user(token) == "Ana Née"


def _claim_names(changed: dict[str, object]) -> str:
    """A name that is the same in every process: the claims hold the time of collection."""
    return ",".join(changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": datetime.now(UTC) - timedelta(minutes=1)},
        {"exp": None},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
        {"iss": "somebody else"},
        {"iss": None},
        {"aud": "another service"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 129},
        {"sub": "ana\n"},
        {"sub": 7},
        {"sub": ["ana"]},
    ],
    ids=_claim_names,
)
async def test_claims_that_are_not_valid_are_refused(changed: dict[str, Any]) -> None:
    token = jwt.encode(claims(), SECRET)
    assert await tokens(auth_secret=SECRET).user(token) == "ana"
    payload = {"iat": datetime.now(UTC)} | claims(**changed)
    forged = jwt.api_jws.encode(
        json.dumps(payload, default=lambda moment: int(moment.timestamp())).encode(), SECRET
    )
    with pytest.raises(TokenRefused):
        await tokens(auth_secret=SECRET).user(forged)


@pytest.mark.parametrize(
    "forged",
    [
        jwt.encode(claims(), "t" * 32),
        jwt.encode(claims(), SECRET + "s" * 32, "HS512"),
        jwt.encode(claims(), SECRET + "s" * 32, "HS256"),
        jwt.encode(claims(), RSA, "RS256"),
        jwt.encode(claims(), None, "none"),
        by_hand({"alg": "None", "typ": "JWT"}, claims()),
        by_hand({"alg": "none"}, claims(), b"anything"),
        by_hand({"typ": "JWT"}, claims()),
        by_hand({"alg": "HS256"}, claims()),
        jwt.encode(claims(), SECRET).rsplit(".", 1)[0] + ".",
        "",
        "a.b.c",
        "é" * 9,
    ],
    ids=lambda _: "forged",
)
async def test_what_the_secret_did_not_sign_is_refused(forged: str) -> None:
    with pytest.raises(TokenRefused):
        await tokens(auth_secret=SECRET).user(forged)


@cache
def one_token() -> str:
    """A token that stays the same from case to case: a new one holds the present second."""
    return jwt.encode(claims(), SECRET)


@given(st.data())
async def test_no_changed_letter_of_a_token_goes_unnoticed(data: st.DataObject) -> None:
    token = one_token()
    place = data.draw(st.integers(0, len(token) - 2))  # the last one holds bits that say nothing
    other = data.draw(st.sampled_from("AZaz09-_.").filter(lambda letter: letter != token[place]))
    with pytest.raises(TokenRefused):
        await tokens(auth_secret=SECRET).user(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "settings",
    [
        {"auth_secret": SECRET, "auth_jwks_url": "https://login.example/keys"},
        {"auth_jwks_url": "https://login.example/keys"},
    ],
)
def test_settings_that_leave_open_whom_to_believe_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        tokens(**settings)


def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAAGENT_AUTH_SECRET", "short")
    with pytest.raises(ConfigurationError, match="AUTH_SECRET"):
        load_settings()


WEAK = [
    "a" * 32,
    "ab" * 40,
    "change-me!" * 4,
    "0123456789abcdef" * 2,
    "password" * 5,
    "1" * 31 + "x",
]
STRONG = [
    secrets.token_hex(16),
    secrets.token_urlsafe(24),
    "four words, a comma and a heron"[::-1] + "!",
]


@pytest.mark.parametrize("secret", WEAK)
def test_a_secret_that_repeats_itself_is_refused(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("PERSONAAGENT_AUTH_SECRET", secret)
    with pytest.raises(ConfigurationError, match=r"AUTH_SECRET.*easy to guess") as refused:
        load_settings()
    assert secret not in str(refused.value)


@pytest.mark.parametrize("secret", STRONG, ids=["hex", "base64", "words"])
def test_any_other_secret_will_do(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("PERSONAAGENT_AUTH_SECRET", secret)
    kept = load_settings().auth_secret
    assert kept is not None
    assert kept.get_secret_value() == secret


def test_nothing_is_minted_without_a_secret() -> None:
    with pytest.raises(ConfigurationError, match="PERSONAAGENT_AUTH_SECRET"):
        tokens().mint("ana", datetime.now(UTC))


HERE = ("127.0.0.1", 5000)


@pytest.mark.parametrize(
    ("headers", "client", "allowed"),
    [
        ({"host": "127.0.0.1:2024"}, HERE, True),
        ({"host": "localhost:2024"}, ("::1", 5000), True),
        ({"host": "[::1]:2024"}, HERE, True),
        ({"host": "localhost", "origin": "https://smith.langchain.com"}, HERE, True),
        ({"host": "localhost", "origin": "https://eu.smith.langchain.com"}, HERE, True),
        ({"host": "localhost", "origin": "http://localhost:3000"}, HERE, True),
        ({"host": "localhost"}, ("192.168.0.7", 5000), False),
        ({"host": "localhost"}, None, False),
        ({"host": "localhost"}, ("testclient", 5000), False),
        ({}, HERE, False),
        ({"host": "rebound.example:2024"}, HERE, False),
        ({"host": "localhost", "origin": "https://evil.example"}, HERE, False),
        ({"host": "localhost", "origin": "https://evilsmith.langchain.com"}, HERE, False),
        ({"host": "localhost", "origin": "https://smith.langchain.com.evil.example"}, HERE, False),
        ({"host": "localhost", "origin": "null"}, HERE, False),
        ({"host": "["}, HERE, False),
        ({"host": "localhost", "origin": "http://["}, HERE, False),
        ({"host": "localhost", "x-forwarded-for": "203.0.113.9"}, HERE, False),
        ({"host": "localhost", "forwarded": "for=127.0.0.1"}, HERE, False),
    ],
)
def test_without_tokens_only_this_machine_may_ask(
    headers: dict[str, str], client: Any, allowed: bool
) -> None:
    assert is_from_this_machine(headers, {"client": client}) is allowed
