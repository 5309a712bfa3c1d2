"""The sweep that aligns at night whoever has labels that are too few to align at once.

One sweep serves all users. It goes round them by the hash of their ids and hands one run of each to
the server's queue, as fast as earlier runs end. A night that was cut off goes on where it was; one
that took until the next one lets that begin where it stopped, so that the same users do not always
come last.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from langgraph.store.base import BaseStore

from personaagent.core.prometheus import NIGHT, NIGHTLY_USERS
from personaagent.core.record import Moment, Record
from personaagent.memory.locks import database_lock, database_of, file_lock
from personaagent.server.due_users import BUCKET_DIGITS, DueUser, due_users
from personaagent.server.nightly_schedule import NightlySchedule
from personaagent.server.run_counts import Pace

log = logging.getLogger(__name__)

STEP_SECONDS = 5.0
PAGE = 50
LONGEST_PAUSE = 600
"""Seconds, at most, until somebody is tried again while all runs fail."""
NAMESPACE = ("nightly_alignment",)
KEY = "sweep"
FIRST_BUCKET = "0" * BUCKET_DIGITS

HandOver = Callable[[DueUser, datetime], Awaitable[bool]]
"""Queues the user's run of the night that began then; False if they need none."""
GetPace = Callable[[datetime], Awaitable[Pace]]
Clock = Callable[[], datetime]


class Night(Record):
    """How far a night has come: it goes from bucket ``start`` round to there again."""

    began: Moment
    start: str = FIRST_BUCKET
    bucket: str = FIRST_BUCKET
    wrapped: bool = False
    ended: bool = False

    def after(self, users: Sequence[DueUser]) -> "Night":
        """The night once this page of users is done, in whose last bucket there may be more."""
        if len(users) == PAGE:
            return self.model_copy(update={"bucket": users[-1].bucket})
        if self.wrapped or self.start == FIRST_BUCKET:
            return self.model_copy(update={"bucket": self.start, "ended": True})
        return self.model_copy(update={"bucket": FIRST_BUCKET, "wrapped": True})


class NightlySweep:
    """The nights of all users of a store. Several processes may sweep: they take turns.

    Args:
        store: the store of all users, which also keeps how far the night has come.
        home: the data folder.
        schedule: when nights begin; one that is off does not.
        hand_over: see ``HandOver``. It says who has had their run already: the bucket in which a
            night was cut off is swept again.
        get_pace: how the alignments of all users go.
        at_once: how many of them may be under way while more are handed over.
        clock: the time.
    """

    def __init__(
        self,
        store: BaseStore,
        home: Path,
        schedule: NightlySchedule,
        hand_over: HandOver,
        get_pace: GetPace,
        at_once: int,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._home = home
        self._schedule = schedule
        self._hand_over = hand_over
        self._get_pace = get_pace
        self._at_once = at_once
        self._clock = clock
        self._ended: datetime | None = None

    async def run(self) -> None:
        """Sweep every night; never returns."""
        while True:
            try:
                await self.step()
            except Exception as error:  # whatever it is, the next night must come
                log.warning("The nightly alignment goes on later: %s", type(error).__name__)
                log.debug("The nightly alignment failed.", exc_info=True)
            await asyncio.sleep(STEP_SECONDS)

    async def step(self) -> int:
        """Hand over as many runs as the pace allows; returns how many."""
        began = self._schedule.last(self._clock())
        handed_over, goes_on = 0, self._ended != began
        while goes_on:
            async with self._lock():
                part, goes_on = await self._part(began)
            handed_over += part
        return handed_over

    async def _part(self, began: datetime) -> tuple[int, bool]:
        """Hand over runs of one page of users: how many, and whether more may follow at once."""
        night = await self._night(began)
        if night.ended:
            self._ended = began
            NIGHT.set(night.began.timestamp())
            return 0, False
        free = await self._free(night)
        return await self._page(night, free) if free > 0 else (0, False)

    async def _page(self, night: Night, free: int) -> tuple[int, bool]:
        handed_over, until = 0, night.start if night.wrapped else ""
        users = await due_users(self._store, PAGE, after=night.bucket, until=until)
        for user in users:
            handed_over += await self._one(user, night)
            if handed_over == free:
                await self._keep(night.model_copy(update={"bucket": user.bucket}))
                return handed_over, False
        await self._keep(night.after(users))
        return handed_over, True

    async def _one(self, user: DueUser, night: Night) -> bool:
        """Hand over one user's run; a failure is theirs alone, and they are due the next night."""
        try:
            queued = await self._hand_over(user, night.began)
        except Exception as error:
            NIGHTLY_USERS.labels("failed").inc()
            log.warning("A nightly alignment could not be queued: %s", type(error).__name__)
            return False
        NIGHTLY_USERS.labels("queued" if queued else "passed_over").inc()
        return queued

    async def _free(self, night: Night) -> int:
        """How many runs may begin now: fewer where many are under way, or where the last ones failed."""
        pace = await self._get_pace(night.began)
        free = self._at_once - pace.under_way
        if not pace.failed or pace.ended_at is None:
            return free
        pause = timedelta(seconds=min(2**pace.failed, LONGEST_PAUSE))
        return min(free, 1) if self._clock() - pace.ended_at >= pause else 0

    async def _night(self, began: datetime) -> Night:
        """The night that began then, as far as it has come; at the first start, it counts as ended."""
        item = await self._store.aget(NAMESPACE, KEY)
        if item is None:
            return await self._keep(Night(began=began, ended=True))
        night = Night.model_validate(item.value)
        if night.began >= began:
            return night
        return await self._keep(Night(began=began, start=night.bucket, bucket=night.bucket))

    async def _keep(self, night: Night) -> Night:
        await self._store.aput(NAMESPACE, KEY, night.stored(), index=False)
        return night

    def _lock(self) -> AbstractAsyncContextManager[None]:
        address = database_of(self._store)
        if address is not None:
            return database_lock(address, "personaagent_nightly_alignment")
        return file_lock(self._home / "locks" / "nightly.lock")
