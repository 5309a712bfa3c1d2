"""``personaagent model``: the models that run on this machine, and how to fetch them."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from personaagent.cli.options import AsJson
from personaagent.cli.output import print_notice, print_result
from personaagent.cli.pull_models import pull_missing
from personaagent.core.settings import load_settings
from personaagent.models.catalog import CHAT, EMBEDDINGS, MODELS, Model, find_model
from personaagent.models.download import model_folder, present

model_app = typer.Typer(
    help="The models that run on this machine, without an API key.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@model_app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models, and show which are on this machine."""
    home = load_settings().home
    print_result([_describe(model, home) for model in MODELS.values()], as_json, _view)


@model_app.command()
def pull(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which model. Default: the default models.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a model and verify it; an interrupted download is resumed."""
    settings = load_settings()
    models = [find_model(name)] if name else [MODELS[CHAT], MODELS[EMBEDDINGS]]
    for model in models:
        if not asyncio.run(pull_missing(model.name, settings)):
            print_notice(f"The model {model.name} is here already.")
    print_result([_describe(model, settings.home) for model in models], as_json, _view)


def _describe(model: Model, home: Path) -> dict[str, Any]:
    here = present(model, home)
    return {
        "name": model.name,
        "use": "embeddings" if model.name == EMBEDDINGS else "chat",
        "default": model.name in (CHAT, EMBEDDINGS),
        "present": here,
        "size": model.size,
        "licence": model.licence,
        "path": str(model_folder(home, model.name)),
        "files": [{"name": f.name, "size": f.size, "sha256": f.sha256} for f in model.files],
    }


def _view(models: list[dict[str, Any]]) -> RenderableType:
    lines = Text()
    for model in models:
        lines.append(model["name"], "cyan")
        lines.append(
            "  here" if model["present"] else "  not fetched",
            "green" if model["present"] else "yellow",
        )
        default = ", the default" if model["default"] else ""
        lines.append(
            f"  {model['size'] / 1e6:,.0f} MB, {model['licence']}, {model['use']}{default}\n"
        )
        for file in model["files"]:
            path = Path(model["path"], file["name"])
            lines.append(f"    {path}\n    sha256 {file['sha256']}\n", "dim")
    lines.rstrip()
    return lines
