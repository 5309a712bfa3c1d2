"""A request that nobody waits for any more leaves no connection to the endpoint open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from langchain_core.messages import HumanMessage

from personaagent.models.chat import connect
from personaagent.models.endpoint_model import EndpointModel

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": "Half"}}]}\n\n'
BEGUN = HEAD + b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
QUESTION = [HumanMessage("Where is Oslo?")]


@dataclass
class Endpoint:
    """What it sends to each request, after which it says nothing more; and what it saw."""

    sends: bytes = b""
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.sends)
        self.asked.set()
        while await reader.read(1 << 16):
            pass
        writer.close()
        self.left.set()


@asynccontextmanager
async def asking(sends: bytes) -> AsyncIterator[tuple[EndpointModel, Endpoint]]:
    endpoint = Endpoint(sends)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    model = connect("m", f"http://127.0.0.1:{port}/v1", "key", timeout=60, retries=2)
    try:
        yield model, endpoint
    finally:
        await model.root_async_client.close()
        server.close()


async def whole(model: EndpointModel) -> None:
    await model.ainvoke(QUESTION)


async def streamed(model: EndpointModel) -> None:
    async for _ in model.astream(QUESTION):
        pass


@pytest.mark.parametrize("sends", [b"", HEAD, BEGUN], ids=["nothing", "its head", "half"])
@pytest.mark.parametrize("ask", [whole, streamed])
async def test_a_cancelled_request_closes_its_connection(
    ask: Callable[[EndpointModel], Awaitable[None]], sends: bytes
) -> None:
    async with asking(sends) as (model, endpoint), asyncio.timeout(60):
        task = asyncio.ensure_future(ask(model))
        await endpoint.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await endpoint.left.wait()


async def test_whoever_stops_reading_a_stream_closes_its_connection() -> None:
    async with asking(BEGUN) as (model, endpoint), asyncio.timeout(60):
        async with aclosing(model.astream(QUESTION)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                assert piece.text == "Half"
                break
        await endpoint.left.wait()
