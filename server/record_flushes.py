"""Lets the development server go on writing its records of threads and runs after it once could not.

LangGraph's server writes them every ten seconds in a thread of its own, which an error ends for good: on
a full disk, all that came after would be lost with the process.
"""

import logging
from typing import Any

log = logging.getLogger(__name__)


def keep_flushing() -> None:
    """Log what fails when records are written; they are written again ten seconds later."""
    from langgraph.checkpoint.memory import PersistentDict

    sync = PersistentDict.sync

    def sync_or_log(records: PersistentDict, /) -> None:
        try:
            sync(records)
        except Exception as error:  # OSError, or what pickle raises while a record changes
            log.warning("The records of threads and runs cannot be written now: %s", error)

    patched: Any = PersistentDict
    patched.sync = sync_or_log
