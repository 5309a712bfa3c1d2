"""Whose memory a command uses when nobody says."""

from personaagent.core.errors import UsageError
from personaagent.core.settings import CONFIG_FILE, load_settings

ENOUGH_USERS = 2


def default_user() -> str:
    """The user in the settings, else the only one in the data folder.

    Raises:
        UsageError: there is none, or there are several; the sentence says what to do.
    """
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
