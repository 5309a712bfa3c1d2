"""How fast a file is imported, embedding included, against the embedding model alone."""

import asyncio
import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from measured import Measured, finish, say
from world import real_embedder, sentence

from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from personaagent.memory.exchange.importer import import_episodes
from personaagent.nodes.dependencies import Dependencies

PIECES = 4
PIECE = 500


async def measure() -> list[Measured]:
    chance = random.Random("import")
    embedder = real_embedder()
    await embedder.embed(["load the model"])
    importing = embedding = 0.0
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder))
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            say(f"{PIECES} times {PIECE} episodes ...")
            for _ in range(PIECES):
                texts = [sentence(chance, chance.randint(6, 24)) for _ in range(PIECE)]
                file = Path(folder) / "episodes.jsonl"
                lines = ({"query": text, "response": sentence(chance, 30)} for text in texts)
                file.write_text("\n".join(map(json.dumps, lines)), "utf-8")

                started = time.perf_counter()
                imported = await import_episodes(agent.memory("user"), file)
                importing += time.perf_counter() - started
                assert (imported.added, imported.warnings) == (PIECE, [])

                started = time.perf_counter()
                await embedder.embed(texts)
                embedding += time.perf_counter() - started
    rate, alone = PIECES * PIECE / importing, PIECES * PIECE / embedding
    return [
        Measured("the embedding model alone", alone, " texts/s"),
        Measured("import against the embedding model alone", rate / alone, "x"),
        Measured("import", rate, " episodes/s", least=min(100, 0.8 * alone)),
    ]


if __name__ == "__main__":
    finish(asyncio.run(measure()))
