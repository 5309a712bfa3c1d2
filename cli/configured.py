"""Where the server is configured: ``langgraph.json``, and the variables in ``.env`` beside it."""

from pathlib import Path

CONFIGURATION = "langgraph.json"
VARIABLES = ".env"


def configured_folder() -> Path | None:
    """The folder of langgraph.json: this one, or the checkout that we are installed from.

    The variables of its ``.env`` are this process's from then on: as the server takes them, so
    that they win over what is set already.
    """
    from dotenv import load_dotenv

    import personaagent.server

    installed = Path(personaagent.server.__path__[0]).parent
    for folder in (Path.cwd(), installed):
        if (folder / CONFIGURATION).is_file():
            load_dotenv(folder / VARIABLES, override=True)
            return folder
    return None
