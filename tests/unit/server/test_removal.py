"""Whatever the server's own API answers, what is gone is gone, and what stays is an error."""

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langgraph_sdk.errors import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
)

from personaagent.core.errors import DataError
from personaagent.server import removal
from personaagent.server.removal import cancel_runs, delete_thread, remove_all

REFUSALS = {400: BadRequestError, 404: NotFoundError, 409: ConflictError, 500: InternalServerError}


def refused(status: int) -> APIStatusError:
    response = httpx.Response(status, request=httpx.Request("DELETE", "http://localhost"))
    return REFUSALS[status]("refused", response=response, body=None)


class Api:
    """A thread with one run; each call may be refused, though it has its effect."""

    def __init__(
        self, status: int | None = None, *, stays: bool = False, hangs: bool = False
    ) -> None:
        self.thread, self.run = True, True
        self._status, self._stays, self._hangs = status, stays, hangs
        self.runs = SimpleNamespace(list=self._runs, cancel=self._cancel)
        self.threads = SimpleNamespace(get=self._get, delete=self._delete)

    async def _get(self, _: str) -> None:
        if not self.thread:
            raise refused(404)

    async def _runs(self, _: str, *, limit: int, status: str) -> list[dict[str, Any]]:
        await self._get(_)
        return [{"run_id": "r"}][:limit] if self.run and status == "running" else []

    async def _cancel(self, _: str, __: str, *, wait: bool) -> None:
        assert wait
        if self._hangs:
            await asyncio.Event().wait()
        self.run = self._stays
        self._refuse()

    async def _delete(self, _: str) -> None:
        self.thread = False
        self._refuse()

    def _refuse(self) -> None:
        if self._status is not None:
            raise refused(self._status)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATIENCE", "RUN_ENDS", "PAUSE"):
        monkeypatch.setattr(removal, name, 0.0)


@pytest.mark.parametrize("status", [None, *REFUSALS])
async def test_a_thread_goes_whatever_is_answered(status: int | None) -> None:
    api: Any = Api(status)
    await delete_thread(api, "t")
    assert (api.thread, api.run) == (False, False)
    await delete_thread(api, "t")
    await cancel_runs(api, "t")


@pytest.mark.parametrize("run", [{"stays": True}, {"hangs": True}])
async def test_a_thread_goes_though_its_run_never_ends(run: dict[str, bool]) -> None:
    api: Any = Api(**run)
    async with asyncio.timeout(10):
        with pytest.raises(DataError):
            await cancel_runs(api, "t")
        await delete_thread(api, "t")
    assert not api.thread


@pytest.mark.parametrize("status", REFUSALS)
async def test_what_stays_is_an_error_of_the_server(status: int) -> None:
    async def find() -> list[str]:
        return ["one"]

    async def remove(_: str) -> None:
        raise refused(status)

    with pytest.raises(DataError, match="A schedule cannot be removed now"):
        await remove_all(find, remove, "A schedule")


async def test_what_cannot_be_looked_for_is_an_error_of_the_server() -> None:
    async def find() -> list[str]:
        raise refused(400)

    with pytest.raises(DataError, match="try again"):
        await remove_all(find, find, "A schedule")  # type: ignore[arg-type]
