"""One sweep a night: everybody who is due gets one run, however it is cut off and by whom it is done."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from langgraph.store.base import BaseStore

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import load_settings
from personaagent.memory.data_folder import open_store
from personaagent.server import nightly_alignment
from personaagent.server.due_users import DueUser
from personaagent.server.nightly_alignment import NightlySweep
from personaagent.server.nightly_schedule import NightlySchedule
from personaagent.server.run_counts import Pace, pace_of
from tests.unit.server.test_due_users import fill

USERS = [f"user {number}" for number in range(30)]
EVENING = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
NIGHT = EVENING.replace(day=29, hour=3, minute=0)


class Server:
    """Queues runs, one a user and night; each stays under way until ``end``."""

    def __init__(self) -> None:
        self.now = EVENING
        self.runs: list[tuple[str, datetime]] = []
        self.asked: Counter[str] = Counter()
        self.under_way: set[str] = set()
        self.ended: list[tuple[str, datetime]] = []
        self.dies_at = ""

    async def queue(self, user: DueUser, since: datetime) -> bool:
        self.asked[user.id] += 1
        if user.id == self.dies_at:
            raise asyncio.CancelledError
        if (user.id, since) in self.runs:
            return False
        self.runs.append((user.id, since))
        self.under_way.add(user.id)
        return True

    async def pace(self, _: datetime) -> Pace:
        return pace_of(len(self.under_way), self.ended)

    def end(self, status: str = "success") -> None:
        self.ended = [(status, self.now) for _ in self.under_way] + self.ended
        self.under_way = set()

    def of(self, night: datetime) -> list[str]:
        return [user for user, since in self.runs if since == night]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BaseStore]:
    async with open_store(tmp_path) as opened:
        await fill(opened, USERS, USERS)
        yield opened


@pytest.fixture
def server() -> Server:
    return Server()


def sweep_of(store: BaseStore, server: Server, folder: Path, at_once: int = 4) -> NightlySweep:
    """A sweep as a process makes it when it starts."""
    schedule = NightlySchedule(load_settings(align_nightly="H 3 * * *"))
    return NightlySweep(
        store, folder, schedule, server.queue, server.pace, at_once, clock=lambda: server.now
    )


async def whole_night(sweep: NightlySweep, server: Server) -> None:
    """Sweep until nobody is handed over any more, while all runs end at once."""
    while await sweep.step():
        server.end()


@pytest.mark.parametrize("page", [2, 7, 30, 50])
async def test_a_night_gives_everybody_one_run(
    store: BaseStore, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(nightly_alignment, "PAGE", page)
    sweep = sweep_of(store, server, tmp_path)
    await sweep.step()
    server.now = NIGHT
    await whole_night(sweep, server)
    assert sorted(server.of(NIGHT)) == sorted(USERS)
    server.now = NIGHT + timedelta(hours=20)
    assert await sweep.step() == 0
    assert len(server.runs) == len(USERS)


async def test_the_first_start_waits_for_the_night(
    store: BaseStore, server: Server, tmp_path: Path
) -> None:
    assert await sweep_of(store, server, tmp_path).step() == 0
    assert server.runs == []


async def test_a_night_that_was_missed_is_made_up_for(
    store: BaseStore, server: Server, tmp_path: Path
) -> None:
    await sweep_of(store, server, tmp_path).step()
    server.now = NIGHT + timedelta(hours=9)
    await whole_night(sweep_of(store, server, tmp_path), server)
    assert sorted(server.of(NIGHT)) == sorted(USERS)


async def test_no_more_runs_are_under_way_than_the_endpoints_bear(
    store: BaseStore, server: Server, tmp_path: Path
) -> None:
    sweep = sweep_of(store, server, tmp_path, at_once=4)
    await sweep.step()
    server.now = NIGHT
    server.under_way = {"somebody who labels now"}
    assert await sweep.step() == 3
    assert await sweep.step() == 0
    server.end()
    assert await sweep.step() == 4


@pytest.mark.parametrize("dies", range(0, 30, 4))
async def test_a_sweep_that_was_killed_goes_on_and_gives_nobody_two(
    store: BaseStore, server: Server, tmp_path: Path, dies: int
) -> None:
    await sweep_of(store, server, tmp_path).step()
    server.now, server.dies_at = NIGHT, USERS[dies]
    with pytest.raises(asyncio.CancelledError):
        await whole_night(sweep_of(store, server, tmp_path), server)
    server.dies_at = ""
    server.end()
    await whole_night(sweep_of(store, server, tmp_path), server)
    assert sorted(server.of(NIGHT)) == sorted(USERS)
    assert max(server.asked.values()) <= 3  # where a step ended, its bucket is looked at again


async def test_two_processes_take_turns(store: BaseStore, server: Server, tmp_path: Path) -> None:
    first, second = (sweep_of(store, server, tmp_path, at_once=3) for _ in range(2))
    await first.step()
    server.now = NIGHT
    while any(await asyncio.gather(first.step(), second.step())):
        assert len(server.under_way) <= 3
        server.end()
    assert sorted(server.of(NIGHT)) == sorted(USERS)


async def test_whom_one_night_did_not_reach_comes_first_in_the_next(
    store: BaseStore, server: Server, tmp_path: Path
) -> None:
    sweep = sweep_of(store, server, tmp_path, at_once=10)
    await sweep.step()
    server.now = NIGHT
    await sweep.step()
    server.end()
    server.now = tomorrow = NIGHT + timedelta(days=1)
    await sweep.step()
    server.end()
    met = set(server.of(NIGHT)) & set(server.of(tomorrow))
    assert len(met) <= 1  # the last of one night shares a bucket with the first of the next
    await whole_night(sweep, server)
    assert sorted(server.of(tomorrow)) == sorted(USERS)


async def test_while_all_runs_fail_one_is_tried_now_and_then(
    store: BaseStore, server: Server, tmp_path: Path
) -> None:
    sweep = sweep_of(store, server, tmp_path, at_once=4)
    await sweep.step()
    server.now = NIGHT
    assert await sweep.step() == 4
    server.end("error")
    assert await sweep.step() == 0
    server.now += timedelta(seconds=16)
    assert await sweep.step() == 1
    server.end("error")
    server.now += timedelta(seconds=31)
    assert await sweep.step() == 0
    server.now += timedelta(seconds=1)
    assert await sweep.step() == 1
    server.end("success")
    assert await sweep.step() == 4


async def test_a_user_whose_run_cannot_be_queued_keeps_nobody_waiting(
    store: BaseStore, server: Server, tmp_path: Path
) -> None:
    async def queue(user: DueUser, since: datetime) -> bool:
        if user.id == USERS[7]:
            raise ConnectionError
        return await server.queue(user, since)

    sweep = NightlySweep(
        store,
        tmp_path,
        NightlySchedule(load_settings(align_nightly="0 3 * * *")),
        queue,
        server.pace,
        8,
        clock=lambda: server.now,
    )
    await sweep.step()
    server.now = NIGHT
    await whole_night(sweep, server)
    assert sorted(server.of(NIGHT)) == sorted({*USERS} - {USERS[7]})


@pytest.mark.parametrize("settings", [{"align_after": 0}, {"align_nightly": "never"}])
def test_no_night_begins_where_nobody_is_aligned_by_itself(settings: dict[str, object]) -> None:
    assert NightlySchedule(load_settings(**settings)).off


@pytest.mark.parametrize("schedule", ["99 3 * * *", "a b c d e", "0 3 31 2 *", "H H * * *"])
def test_what_is_no_schedule_is_refused_at_the_start(schedule: str) -> None:
    with pytest.raises(ConfigurationError, match="PERSONAAGENT_ALIGN_NIGHTLY"):
        NightlySchedule(load_settings(align_nightly=schedule))


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        ("H 3 * * *", datetime(2026, 11, 28, 3, tzinfo=UTC)),
        ("0 3 * * THU", datetime(2026, 11, 26, 3, tzinfo=UTC)),
        ("*/20 * * * *", datetime(2026, 11, 28, 20, 40, tzinfo=UTC)),
    ],
)
def test_a_night_begins_when_its_schedule_says(schedule: str, last: datetime) -> None:
    moment = EVENING - timedelta(seconds=1)
    assert NightlySchedule(load_settings(align_nightly=schedule)).last(moment) == last
