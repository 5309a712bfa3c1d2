"""The operator's webhook: a message when alignment has published a version of a persona.

It is signed by the Standard Webhooks specification (https://www.standardwebhooks.com), and holds no
text of the user's memory.
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

from personaagent.core.errors import ConfigurationError
from personaagent.core.records import Persona, now
from personaagent.core.settings import Settings
from personaagent.models.connection import trusted
from personaagent.models.proxies import proxy_for

ATTEMPTS = 5
RECEIVER_SECONDS = 10.0
"""How long a receiver may take to answer."""
LATER = (408, 425, 429)
"""Client errors that are tried again, like every 5xx."""


async def notify_webhook(settings: Settings, user_key: str, persona: Persona) -> None:
    """Send the message that ``persona`` was published, and try again if the receiver fails.

    The message id is the id of the run: if a run was killed here and sends the message again, the
    receiver can discard the second one. A webhook that cannot be reached is logged, and does not fail
    the run.
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
    except (httpx2.HTTPError, httpx2.InvalidURL, ConfigurationError) as error:
        logging.getLogger(__name__).warning("The webhook was not reached: %s", error)


async def _deliver(url: str, secret: str, id: str, body: str) -> None:
    tls = await asyncio.to_thread(trusted)  # reads certificate files
    proxy = proxy_for(url)
    async for attempt in AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5),
        retry=retry_if_exception(_is_temporary),
        reraise=True,
    ):
        with attempt:
            async with httpx2.AsyncClient(
                timeout=RECEIVER_SECONDS, verify=tls, proxy=proxy, trust_env=False
            ) as client:
                headers = signed(secret, id, int(now().timestamp()), body)
                response = await client.post(url, content=body, headers=headers)
                response.raise_for_status()


def signed(secret: str, id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of a message: its id, the time (seconds since 1970), and the signature.

    The key is the secret itself, or what follows ``whsec_`` in base64, as Standard Webhooks writes
    keys.
    """
    encoded = secret.removeprefix("whsec_")
    key = secret.encode() if encoded == secret else base64.b64decode(encoded)
    signature = hmac.new(key, f"{id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _is_temporary(error: BaseException) -> bool:
    if isinstance(error, httpx2.HTTPStatusError):
        code: Any = error.response.status_code
        return code >= 500 or code in LATER
    return isinstance(error, httpx2.TransportError)
