"""``personaagent config``: every setting, its value, and where the value came from."""

import re
from typing import Any

from pydantic import SecretStr
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from personaagent.cli.options import AsJson
from personaagent.cli.output import print_result, printable
from personaagent.core.settings import CONFIG_FILE, Settings, load_settings, origin, variable

URL_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def config(as_json: AsJson = False) -> None:
    """Show every setting and where its value came from."""
    settings = load_settings()
    fields = Settings.model_fields.items()
    rows = [
        {
            "name": name,
            "variable": variable(name),
            "value": _masked(getattr(settings, name)),
            "origin": origin(settings, name),
            "description": field.description,
        }
        for name, field in fields
    ]
    print_result(rows, as_json, lambda rows: _view(rows, settings))


def _masked(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "********"
    return URL_PASSWORD.sub("********@", value) if isinstance(value, str) else value


def _view(rows: list[dict[str, Any]], settings: Settings) -> RenderableType:
    lines: list[RenderableType] = []
    for row in rows:
        value = "not set" if row["value"] is None else printable(str(row["value"]))
        origin_text = (f"  ({row['origin']})", "dim" if row["origin"] == "default" else "green")
        lines.append(Text.assemble((row["variable"], "cyan"), f" = {value}", origin_text))
        lines.append(Padding(Text(row["description"], "dim"), (0, 0, 0, 4), expand=False))
    file = settings.home / CONFIG_FILE
    hint = f"Set them in the environment, or in {file} by name (for example: top_k = 4)."
    return Group(*lines, Text(hint, "dim"))
