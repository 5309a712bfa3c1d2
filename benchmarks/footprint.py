"""Memory of the process at 100,000 episodes of 100 users, after turns of many of them.

The language model is elsewhere (a scripted endpoint); all else is in the process that is
measured: agent, embedding model, store, index.
"""

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

from endpoint import endpoint
from measured import Measured, finish
from world import real_embedder, sentence, world

USERS = {f"user{number}": 1_000 for number in range(100)}
MEGABYTE = 1e6


async def measure() -> list[Measured]:
    with endpoint() as url:
        async with world(USERS) as settings:
            process = await asyncio.create_subprocess_exec(
                sys.executable, __file__, "--use", str(settings.home), url, stdout=subprocess.PIPE
            )
            said, _ = await process.communicate()
    used = json.loads(said)
    return [
        Measured("of it, the program before it opens anything", used["imported"], " MB"),
        Measured("of it, files that the system can take back", used["files"], " MB"),
        Measured("memory of the process", used["all"], " MB", most=600),
    ]


async def use(home: Path, url: str) -> None:
    """Turns of every tenth user, then how much memory the process has, as JSON."""
    import psutil

    from personaagent.core.settings import load_settings
    from personaagent.local.agent import open_local
    from personaagent.nodes.dependencies import Dependencies

    settings = load_settings(
        home=home, openai_base_url=url, openai_api_key="none", model="any", summary_every=0
    )
    chance = random.Random("footprint")
    imported = psutil.Process().memory_info().rss
    async with open_local(settings, Dependencies.from_settings(settings, real_embedder())) as agent:
        await agent.deps.memory.embedder.embed(["load the model"])
        for user in list(USERS)[::10]:
            answer = await agent.ask(sentence(chance), user)
            assert answer.recalled, answer.warnings
        for user in USERS:
            assert (await agent.memory(user).recall(sentence(chance), 8)).episodes
        memory = psutil.Process().memory_info()
    used = {"all": memory.rss, "files": memory.shared, "imported": imported}
    print(json.dumps({name: size / MEGABYTE for name, size in used.items()}))


if __name__ == "__main__":
    if "--use" in sys.argv:
        asyncio.run(use(Path(sys.argv[-2]), sys.argv[-1]))
    else:
        finish(asyncio.run(measure()))
