"""What a server's log says of its users."""

import logging
from typing import Any

import pytest

from personaagent.core.users import user_key
from personaagent.server.log_users import hide_users_in_logs, without_users

USER = "ann o'hara, user=7 of 9"
HASH = user_key(USER)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("[list_runs] thread_id=t1 user={}", "[list_runs] thread_id=t1 user={}"),
        ("[get_run] user={} thread_id=t1 run_id=r1", "[get_run] user={} thread_id=t1 run_id=r1"),
    ],
)
def test_an_id_in_a_text_is_logged_as_its_hash(said: str, logged: str) -> None:
    assert without_users(said.format(USER)) == logged.format(HASH)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ({"event": f"a user={USER}", "user": USER}, {"event": f"a user={HASH}", "user": HASH}),
        ({"user_id": USER, "user": None, "n": 1}, {"user_id": HASH, "user": None, "n": 1}),
        ("No user here.", "No user here."),
        (7, 7),
    ],
)
def test_an_id_is_logged_as_its_hash(said: Any, logged: Any) -> None:
    assert without_users(said) == logged


def test_all_that_the_library_logs_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = logging.getLogRecordFactory()
    try:
        hide_users_in_logs("library")
        for name in ("library.runs", "library", "librarian"):
            logging.getLogger(name).warning(f"found user={USER}")
    finally:
        logging.setLogRecordFactory(before)
    assert [record.getMessage() for record in caplog.records] == [
        f"found user={HASH}",
        f"found user={HASH}",
        f"found user={USER}",
    ]
