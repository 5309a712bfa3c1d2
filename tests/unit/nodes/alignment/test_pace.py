"""The pace of simulations: a few begin at a time, and one that asks its model lets the next begin."""

import asyncio

from personaagent.nodes.alignment.pace import Pace, begun


async def test_the_next_begins_when_one_asks_its_model() -> None:
    pace, order = Pace(2), list[str]()
    all_asked, answered = asyncio.Event(), asyncio.Event()

    async def simulate(name: str) -> None:
        async with pace.begin():
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            await asyncio.create_task(ask(name))  # a graph runs its nodes in tasks of their own

    async def ask(name: str) -> None:
        order.append(f"{name} asks")
        begun()
        begun()  # to ask twice lets no more begin
        if len(order) == 8:
            all_asked.set()
        await answered.wait()

    tasks = [asyncio.create_task(simulate(name)) for name in "abcd"]
    await asyncio.wait_for(all_asked.wait(), 30)
    assert order.index("a asks") < order.index("c begins")
    assert order.index("b begins") < order.index("a asks"), "two at a time"
    assert not any(task.done() for task in tasks), "none waits for an answer of another"
    answered.set()
    await asyncio.gather(*tasks)


async def test_one_that_fails_or_asks_nothing_lets_the_next_begin() -> None:
    pace = Pace(1)

    async def fail() -> None:
        async with pace.begin():
            raise ValueError("no model")

    async def answer_from_cache() -> str:
        async with pace.begin():
            return "known"

    results = await asyncio.gather(
        fail(), answer_from_cache(), answer_from_cache(), return_exceptions=True
    )
    assert [str(each) for each in results] == ["no model", "known", "known"]
