"""Memory of the process with 100,000 episodes of 100 users, after turns of many of them.

The language model runs elsewhere (a scripted endpoint); agent, embedding model, store and index are in
the measured process.
"""

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

from filled_home import filled_home, random_sentence, real_embedder
from instant_endpoint import instant_endpoint
from measurement import Measurement, report_and_exit

USERS = {f"user{number}": 1_000 for number in range(100)}
MEGABYTE = 1e6


async def measure() -> list[Measurement]:
    with instant_endpoint() as url:
        async with filled_home(USERS) as settings:
            process = await asyncio.create_subprocess_exec(
                sys.executable, __file__, "--use", str(settings.home), url, stdout=subprocess.PIPE
            )
            stdout, _ = await process.communicate()
    megabytes = json.loads(stdout)
    return [
        Measurement("of it, the program before it opens anything", megabytes["imported"], " MB"),
        Measurement("of it, files that the system can take back", megabytes["files"], " MB"),
        Measurement("memory of the process", megabytes["all"], " MB", most=600),
    ]


async def use(home: Path, url: str) -> None:
    """Run turns of every tenth user, then print the memory of the process as JSON."""
    import psutil

    from personaagent.core.settings import load_settings
    from personaagent.local.agent import open_local
    from personaagent.nodes.dependencies import Dependencies

    settings = load_settings(
        home=home, openai_base_url=url, openai_api_key="none", model="any", summary_every=0
    )
    rng = random.Random("footprint")
    imported = psutil.Process().memory_info().rss
    async with open_local(settings, Dependencies.from_settings(settings, real_embedder())) as agent:
        await agent.deps.memory.embedder.embed(["load the model"])
        for user in list(USERS)[::10]:
            answer = await agent.ask(random_sentence(rng), user)
            assert answer.recalled, answer.warnings
        for user in USERS:
            assert (await agent.memory(user).recall(random_sentence(rng), 8)).episodes
        memory = psutil.Process().memory_info()
    sizes = {"all": memory.rss, "files": memory.shared, "imported": imported}
    print(json.dumps({name: size / MEGABYTE for name, size in sizes.items()}))


if __name__ == "__main__":
    if "--use" in sys.argv:
        asyncio.run(use(Path(sys.argv[-2]), sys.argv[-1]))
    else:
        report_and_exit(asyncio.run(measure()))
