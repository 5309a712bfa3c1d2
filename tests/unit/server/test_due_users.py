"""Who is due for the night, found in the store of a data folder."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
from langgraph.store.base import BaseStore

from personaagent.core.users import user_key
from personaagent.memory.data_folder import open_store
from personaagent.server.due_users import due_users

USERS = [f"user {number}" for number in range(40)]
DUE = set(USERS[::3])


async def fill(store: BaseStore, users: Collection[str], due: Collection[str]) -> None:
    """Give each user labelled episodes; of those who are due, alignment has not seen a label."""
    for name in users:
        for episode in ("e1", "e2", "e3"):
            value = {"episode": {"user_id": name, "ground_truth": "this"}}
            await store.aput(("users", user_key(name), "episodes"), episode, value, index=False)
        await store.aput(("users", user_key(name), "unsummarised"), "e1", {}, index=False)
        if name in due:
            await store.aput(("users", user_key(name), "unaligned"), "e1", {}, index=False)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BaseStore]:
    async with open_store(tmp_path) as opened:
        await opened.aput(("users",), "nobody's", {}, index=False)
        await opened.aput(("usersettings",), "nobody's", {}, index=False)
        await fill(opened, USERS, DUE)
        yield opened


async def test_those_with_new_labels_are_found_and_nobody_else(store: BaseStore) -> None:
    found = await due_users(store, 100)
    assert {user.id for user in found} == DUE
    assert [user.key for user in found] == sorted(map(user_key, DUE))


@pytest.mark.parametrize("size", [1, 4, 14, 15])
async def test_pages_go_round_all_once(store: BaseStore, size: int) -> None:
    found = page = await due_users(store, size)
    while page:
        page = await due_users(store, size, after=page[-1].key)
        found = found + page
    assert sorted(user.id for user in found) == sorted(DUE)


async def test_a_part_ends_before_the_bucket_where_the_next_one_begins(store: BaseStore) -> None:
    everybody = await due_users(store, 100)
    bucket = everybody[5].bucket
    before, rest = (
        await due_users(store, 100, until=bucket),
        await due_users(store, 100, after=bucket),
    )
    assert before + rest == everybody
    assert rest[0] == everybody[5]


async def test_whoever_has_too_few_labels_to_learn_from_is_left_alone(store: BaseStore) -> None:
    [name, *_] = DUE
    value = {"episode": {"user_id": name, "ground_truth": None}}
    await store.aput(("users", user_key(name), "episodes"), "e2", value, index=False)
    assert {user.id for user in await due_users(store, 100)} == DUE - {name}


async def test_whose_name_is_nowhere_is_passed_over(store: BaseStore) -> None:
    await store.aput(("users", user_key("gone"), "unaligned"), "e1", {}, index=False)
    assert {user.id for user in await due_users(store, 100)} == DUE


async def test_an_empty_folder_has_nobody_due(tmp_path: Path) -> None:
    async with open_store(tmp_path / "empty") as empty:
        assert await due_users(empty, 10) == []
