"""Tokens that no library would sign, and the claims of those that one would."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a valid token of Ana's, but for what is ``changed`` (None: left out)."""
    usual = {
        "sub": "ana",
        "iss": "personaagent",
        "aud": "personaagent",
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def by_hand(header: dict[str, Any], said: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library would sign."""
    said = said | {"exp": int(said["exp"].timestamp())}
    deps = [json.dumps(header).encode(), json.dumps(said).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in deps)
