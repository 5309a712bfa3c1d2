"""Pull the embedded models that a command needs and this machine lacks."""

from collections.abc import Sequence
from typing import Literal, get_args

from personaagent.cli.output import print_notice, progress_bar
from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Role, Settings


async def pull_needed(
    settings: Settings, role: Role | Literal["all"] | None, *, embeddings: bool
) -> None:
    """Pull the embedded model of ``role``, and the one for embeddings, if they are missing.

    Raises:
        ConfigurationError: there is no model of that name.
        DownloadError, DataError: a model cannot be fetched or written.
    """
    if role and settings.embedded:
        from personaagent.models.catalog import CHAT, MODELS

        roles: Sequence[Role] = get_args(Role) if role == "all" else [role]
        for name in dict.fromkeys(settings.model_for(each) or CHAT for each in roles):
            if name not in MODELS:
                raise ConfigurationError(
                    f"There is no embedded model {name!r}: use {CHAT}, or set OPENAI_API_KEY or "
                    "OPENAI_BASE_URL to use the model of an endpoint."
                )
            await pull_missing(name, settings)
    if embeddings and not settings.embeddings.startswith("openai:"):
        await pull_missing(settings.embeddings, settings)


async def pull_missing(name: str, settings: Settings) -> bool:
    """Pull the model of that name if it is missing, with a notice; return whether it was.

    Raises:
        ConfigurationError: there is no such model, or no package that runs it.
        DownloadError, DataError: it cannot be fetched or written.
    """
    from personaagent.models.catalog import find_model
    from personaagent.models.download import ensure, present
    from personaagent.models.packages import check_packages

    model = find_model(name)
    if present(model, settings.home):
        return False
    check_packages(name)
    size = f"{model.size / 1e6:,.0f} MB"
    print_notice(f"Fetching the model {name} ({size}, {model.licence}); this happens once.")
    with progress_bar(name, bytes_=True) as advance:
        await ensure(name, settings.home, advance)
    return True
