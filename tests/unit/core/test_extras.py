"""A missing optional package is one sentence; a missing module of ours is a fault."""

import importlib

import pytest

from personaagent.core.errors import ConfigurationError
from personaagent.core.extras import check_installed, requires_extra


def test_a_missing_package_is_one_sentence_that_names_the_extra() -> None:
    with pytest.raises(ConfigurationError) as raised, requires_extra("eval", "The evaluation"):
        importlib.import_module("no_such_package.inner")
    assert str(raised.value) == (
        "The evaluation needs the package no_such_package, which is not installed: "
        "pip install 'personaagent[eval]'."
    )


def test_a_check_imports_nothing_and_names_the_alternative() -> None:
    check_installed("json", "server", "The server")
    with pytest.raises(
        ConfigurationError, match=r"pip install 'personaagent\[server\]', or do without\.$"
    ):
        check_installed("no_such_package", "server", "The server", "do without")


def test_a_missing_module_of_ours_is_a_fault() -> None:
    with pytest.raises(ModuleNotFoundError), requires_extra("eval", "The evaluation"):
        importlib.import_module("personaagent.no_such_module")
