"""Whose memory a command uses when nobody says."""

import os
from contextlib import suppress

from personaagent.cli.main import COMPLETE
from personaagent.core.errors import PersonaAgentError, UsageError
from personaagent.core.settings import CONFIG_FILE, load_settings

ENOUGH_USERS = 2
MOST_OFFERED = 100


def default_user() -> str:
    """The user in the settings, else the only one in the data folder; "" for completion in a shell.

    Raises:
        UsageError: there is none, or there are several; the sentence says what to do.
    """
    if COMPLETE in os.environ:
        return ""  # no command will run
    settings = load_settings()
    if settings.user is not None:
        return settings.user
    from personaagent.memory.users_in_folder import users_in

    users = users_in(settings.home, ENOUGH_USERS)
    if len(users) == 1:
        return users[0]
    why = "Several users have a memory here" if users else "Nobody has a memory here yet"
    raise UsageError(
        f"{why}: say who you are with --user NAME, or once for all with PERSONAAGENT_USER=NAME or "
        f'user = "NAME" in {settings.home / CONFIG_FILE}.'
    )


def known_users(incomplete: str) -> list[str]:
    """The users with a memory here whose names begin like this, for completion in a shell."""
    from personaagent.memory.users_in_folder import users_in

    with suppress(PersonaAgentError):  # the command itself will say what is wrong
        users = users_in(load_settings().home, MOST_OFFERED)
        return [user for user in users if user.startswith(incomplete)]
    return []
