"""How the page signs a person in at an OpenID Connect issuer.

The page itself asks the issuer, by an authorization code with PKCE, as a public client: this server
never sees a code or a refresh token, and issuers allow it (some redeem the code of a page only where
the page asks). The server checks the tokens that come of it like all others.
"""

import re
from urllib.parse import urlsplit

from personaagent.core.errors import ConfigurationError
from personaagent.core.records import Record
from personaagent.core.settings import Settings, variable
from personaagent.models.proxies import is_loopback

ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?")
"""Nothing that would end a source, or a directive, of a Content-Security-Policy."""


class OpenId(Record):
    """What the page needs to know of the issuer, as whose client, and the hosts that it asks there."""

    issuer: str
    client_id: str
    scopes: str
    audience: str
    origins: tuple[str, ...]


def sign_in_at_issuer(settings: Settings) -> OpenId | None:
    """How to sign in at the issuer; None where no client id is set.

    Raises:
        ConfigurationError: there is no key server to check the issuer's tokens by, or an address
            is not one that a page may ask.
    """
    if not settings.auth_client_id:
        return None
    if not settings.auth_jwks_url:
        raise ConfigurationError(
            f"{variable('auth_client_id')} is set without {variable('auth_jwks_url')}: "
            "say by which keys the issuer's tokens are checked."
        )
    origins = [_origin("auth_issuer", settings.auth_issuer)]
    if settings.auth_token_origin:
        origins.append(_origin("auth_token_origin", settings.auth_token_origin))
    return OpenId(
        issuer=settings.auth_issuer,
        client_id=settings.auth_client_id,
        scopes=settings.auth_scopes,
        audience=settings.auth_audience,
        origins=tuple(origins),
    )


def _origin(name: str, address: str) -> str:
    """Scheme, host and port of an address over HTTPS, or over HTTP on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
    except ValueError:  # not an address
        host = origin = ""
    if not ORIGIN.fullmatch(origin) or not (is_loopback(host) or origin.startswith("https:")):
        raise ConfigurationError(
            f"{variable(name)} must be an address that begins with https:// for the page to sign in "
            f"there, but is {address!r}."
        )
    return origin
