"""Telling the operator's webhook that alignment has published a version of somebody's persona.

Signed as https://www.standardwebhooks.com says. The message holds no text of the user's memory.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from typing import Any

import httpx2
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from personaagent.core.records import Persona, now
from personaagent.core.settings import Settings

ATTEMPTS = 5
SECONDS = 10.0
"""A receiver's time to answer."""
LATER = (408, 425, 429)
"""Refusals after which it is tried again, as after every 5xx."""


async def notify_webhook(settings: Settings, user_key: str, persona: Persona) -> None:
    """Tell that ``persona`` was published: once, or a few times until it is heard.

    The id is that of the run, so that a run which was killed here, and tells again, can be known by
    it. A webhook that cannot be reached is logged, and costs the run nothing.
    """
    if settings.webhook_url is None or settings.webhook_secret is None or persona.proof is None:
        return
    message = {
        "type": "persona.published",
        "timestamp": persona.created_at.isoformat(),
        "data": {
            "user": user_key,
            "from_version": persona.parent,
            "to_version": persona.version,
            "author": persona.author,
            "run": persona.proof.run,
        },
    }
    try:
        await _deliver(
            settings.webhook_url,
            settings.webhook_secret.get_secret_value(),
            persona.proof.run,
            json.dumps(message),
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        logging.getLogger(__name__).warning("The webhook was not reached: %s", error)


async def _deliver(url: str, secret: str, id: str, body: str) -> None:
    tls = await asyncio.to_thread(httpx2.create_ssl_context)  # it reads files
    async for attempt in AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5),
        retry=retry_if_exception(_may_pass),
        reraise=True,
    ):
        with attempt:
            async with httpx2.AsyncClient(timeout=SECONDS, verify=tls) as http:
                headers = signed(secret, id, int(now().timestamp()), body)
                response = await http.post(url, content=body, headers=headers)
                response.raise_for_status()


def signed(secret: str, id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of a message: its id, the time (seconds since 1970), and the signature of all.

    The key is the secret itself; or, as Standard Webhooks writes keys, what stands in base64 after
    ``whsec_``.
    """
    encoded = secret.removeprefix("whsec_")
    key = secret.encode() if encoded == secret else base64.b64decode(encoded)
    code = hmac.new(key, f"{id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(code).decode()}",
    }


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, httpx2.HTTPStatusError):
        code: Any = error.response.status_code
        return code >= 500 or code in LATER
    return isinstance(error, httpx2.TransportError)
