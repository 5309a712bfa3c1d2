"""The server's configuration: ``langgraph.json``, and the variables in ``.env`` beside it."""

from pathlib import Path

LANGGRAPH_JSON = "langgraph.json"
ENV_FILE = ".env"


def load_server_config() -> Path | None:
    """Load the variables of ``.env`` into this process; return the folder of ``langgraph.json``.

    It looks in the current folder, then in the checkout that this package is installed from. The
    variables override those that are set already, as they do in the server itself. None if there
    is no ``langgraph.json``.
    """
    from dotenv import load_dotenv

    import personaagent.server

    checkout = Path(personaagent.server.__path__[0]).parent
    for folder in (Path.cwd(), checkout):
        if (folder / LANGGRAPH_JSON).is_file():
            load_dotenv(folder / ENV_FILE, override=True)
            return folder
    return None
