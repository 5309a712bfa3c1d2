"""What a database gives becomes one sentence; what is not a database's is left as it is."""

import pytest

from personaagent.core.errors import DataError, IndexUnavailable
from personaagent.memory.storage_errors import storage_errors


class OperationalError(Exception):
    """As psycopg's, which is there on a server alone."""

    __module__ = "psycopg.errors"


def test_the_error_of_a_database_does_not_contain_its_address() -> None:
    with pytest.raises(DataError, match="cannot be used now") as told, storage_errors():
        raise OperationalError("connection to server at 10.0.0.1 failed")
    assert "10.0.0.1" not in str(told.value)


def test_other_errors_are_not_changed() -> None:
    of_the_index = IndexUnavailable("the index is full")
    of_the_index.__cause__ = OSError(28, "No space left on device")
    with pytest.raises(IndexUnavailable), storage_errors():
        raise of_the_index
    with pytest.raises(KeyError), storage_errors():
        raise KeyError("a mistake of ours")
