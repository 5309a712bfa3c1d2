"""The user whom a bearer token (JWT) names."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import jwt

from personaagent.core.errors import ConfigurationError, ServiceError, TokenRefused, UsageError
from personaagent.core.records import new_id
from personaagent.core.settings import Settings, variable
from personaagent.core.users import check_user_id
from personaagent.server.openid import OpenId, sign_in_at_issuer

SYMMETRIC = ["HS256"]
ASYMMETRIC = ["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""The algorithms of a key server. Never HS256: its public key would then be the secret."""
REQUIRED_CLAIMS = ["exp", "iss", "aud", "sub"]
CLOCK_SKEW = 10.0
"""Seconds that two clocks may differ."""


@dataclass(frozen=True)
class Claims:
    """What a valid token says: its user, its id, and when it was issued and expires (seconds).

    A token without a ``jti`` has a hash as its id; one that does not say when it was issued, 0.
    """

    user_id: str
    id: str
    issued_at: float
    expires_at: float


class Tokens:
    """Checks bearer tokens, all with one secret or with the keys of a key server.

    Raises:
        ConfigurationError: secret and key server are both set, a key server without the issuer
            whose tokens to accept, or a client id with which no page can sign in.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.auth_secret and settings.auth_jwks_url:
            raise ConfigurationError(
                f"{variable('auth_secret')} and {variable('auth_jwks_url')} are both set: "
                "tokens can be checked by one of them only."
            )
        if settings.auth_jwks_url and "auth_issuer" not in settings.model_fields_set:
            raise ConfigurationError(
                f"{variable('auth_jwks_url')} is set without {variable('auth_issuer')}: "
                "say whose tokens are to be believed."
            )
        self.openid: OpenId | None = sign_in_at_issuer(settings)
        """How the page gets such a token at the issuer; None: people paste one."""

    @property
    def required(self) -> bool:
        """Whether callers need a token; without any setting only this machine gets answers."""
        return bool(self._settings.auth_secret or self._settings.auth_jwks_url)

    async def user(self, token: str) -> str:
        """The user id that a valid token names; errors as of ``claims``."""
        return (await self.claims(token)).user_id

    async def claims(self, token: str) -> Claims:
        """What a valid token says.

        Raises:
            TokenRefused: the token is not valid here; the message says why.
            ServiceError: the key server does not answer.
        """
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                await self._key(token),
                algorithms=ASYMMETRIC if self._settings.auth_jwks_url else SYMMETRIC,
                issuer=self._settings.auth_issuer,
                audience=self._settings.auth_audience,
                leeway=CLOCK_SKEW,
                options={"require": REQUIRED_CLAIMS},
            )
            return Claims(
                user_id=check_user_id(claims["sub"]),
                id=str(claims.get("jti") or hashlib.sha256(token.encode()).hexdigest()),
                issued_at=float(claims.get("iat", 0)),
                expires_at=float(claims["exp"]),
            )
        except (jwt.PyJWTError, UsageError) as error:
            raise TokenRefused(f"The token is refused: {error}.") from error

    def mint(self, user_id: str, expires: datetime) -> str:
        """A token of the user, signed with the secret and valid until ``expires``.

        Raises:
            UsageError: the user id is not valid.
            ConfigurationError: no secret is set.
        """
        claims = {
            "sub": check_user_id(user_id),
            "iss": self._settings.auth_issuer,
            "aud": self._settings.auth_audience,
            "iat": datetime.now(UTC),
            "jti": new_id(),
            "exp": expires,
        }
        return jwt.encode(claims, self._secret, SYMMETRIC[0])

    async def _key(self, token: str) -> Any:
        if not self._settings.auth_jwks_url:
            return self._secret
        try:
            return await asyncio.to_thread(self._key_server.get_signing_key_from_jwt, token)
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError) as error:
            raise ServiceError("The key server gives no keys: try again later.") from error

    @property
    def _secret(self) -> str:
        if self._settings.auth_secret is None:
            raise ConfigurationError(
                f"No secret is set: put at least 32 random characters into {variable('auth_secret')}, "
                "for the server and for this command."
            )
        return self._settings.auth_secret.get_secret_value()

    @cached_property
    def _key_server(self) -> jwt.PyJWKClient:
        return jwt.PyJWKClient(str(self._settings.auth_jwks_url), timeout=10)
