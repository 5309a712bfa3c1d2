"""A value that is made on first use, so that importing a module makes nothing."""

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Makes its value once a process, whichever thread or event loop asks first."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._values: list[T] = []

    def get(self) -> T:
        """The value. Making it may block, for instance on files.

        Raises:
            Exception: whatever ``make`` raises; the next call tries again.
        """
        with self._lock:
            if not self._values:
                self._values.append(self._make())
            return self._values[0]

    async def aget(self) -> T:
        """The value; if it has to be made, in a thread, without blocking the event loop."""
        return self._values[0] if self._values else await asyncio.to_thread(self.get)
