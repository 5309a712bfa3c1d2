"""Records that once could not be written are written later."""

from pathlib import Path

import pytest
from langgraph.checkpoint.memory import PersistentDict

from personaagent.server.record_flushes import keep_flushing


def test_a_failure_to_write_is_logged_and_the_next_write_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(PersistentDict, "sync", PersistentDict.sync)  # as it was, afterwards
    keep_flushing()
    folder = tmp_path / "later"
    records = PersistentDict(filename=str(folder / "records"))
    records["runs"] = ["one"]
    records.sync()
    assert ["records of threads" in line for line in caplog.messages] == [True]
    folder.mkdir()
    records.sync()
    again = PersistentDict(filename=str(folder / "records"))
    again.load()
    assert again == {"runs": ["one"]}
