"""``personaagent config``: every setting, its value, and where that came from."""

import re
from typing import Any

from pydantic import SecretStr
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from personaagent.cli.output import AsJson, printable, show
from personaagent.core.settings import CONFIG_FILE, Settings, load_settings, origin, variable

PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def config(as_json: AsJson = False) -> None:
    """Show every setting and where its value came from."""
    settings = load_settings()
    fields = Settings.model_fields.items()
    explained = [
        {
            "name": name,
            "variable": variable(name),
            "value": _shown(getattr(settings, name)),
            "origin": origin(settings, name),
            "description": field.description,
        }
        for name, field in fields
    ]
    show(explained, as_json, lambda rows: _view(rows, settings))


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "********"
    return PASSWORD.sub("********@", value) if isinstance(value, str) else value


def _view(rows: list[dict[str, Any]], settings: Settings) -> RenderableType:
    shown: list[RenderableType] = []
    for row in rows:
        value = "not set" if row["value"] is None else printable(str(row["value"]))
        from_ = (f"  ({row['origin']})", "dim" if row["origin"] == "default" else "green")
        shown.append(Text.assemble((row["variable"], "cyan"), f" = {value}", from_))
        shown.append(Padding(Text(row["description"], "dim"), (0, 0, 0, 4), expand=False))
    file = settings.home / CONFIG_FILE
    last = f"Set them in the environment, or in {file} by their names (as: top_k = 4)."
    return Group(*shown, Text(last, "dim"))
