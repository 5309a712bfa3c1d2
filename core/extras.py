"""Optional packages: a missing one ends in a sentence that says what to install."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Literal

from personaagent.core.errors import ConfigurationError

Extra = Literal[
    "embedded", "server", "postgres", "eval", "otel", "encryption", "rerank", "mcp", "ray"
]
"""The optional dependencies of ``pyproject.toml``."""


@contextmanager
def requires_extra(extra: Extra, feature: str) -> Iterator[None]:
    """Wrap the imports of optional packages.

    Args:
        extra: the extra that holds the packages.
        feature: what needs them, as the start of a sentence.

    Raises:
        ConfigurationError: a package of somebody else's is not installed. A module of ours that
            is missing is a fault, and raises as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "personaagent":
            raise
        raise _not_installed(package, extra, feature) from error


def check_installed(package: str, extra: Extra, feature: str, alternative: str = "") -> None:
    """Check that an optional package is installed, without importing it.

    Args:
        package: the name that is imported.
        extra: the extra that holds it.
        feature: what needs it, as the start of a sentence.
        alternative: what to do instead of installing it, if there is anything.

    Raises:
        ConfigurationError: it is not installed.
    """
    if find_spec(package) is None:
        raise _not_installed(package, extra, feature, alternative)


def _not_installed(
    package: str, extra: Extra, feature: str, alternative: str = ""
) -> ConfigurationError:
    instead = f", or {alternative}" if alternative else ""
    return ConfigurationError(
        f"{feature} needs the package {package}, which is not installed: "
        f"pip install 'personaagent[{extra}]'{instead}."
    )
