"""Importing a large file, in a process of its own: it takes no more memory than a small one."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

PEAK = """
    import asyncio, resource, sys
    from collections import deque
    from pathlib import Path
    from personaagent.core.settings import Settings
    from personaagent.local.agent import open_local
    from personaagent.memory.exchange.importer import import_episodes
    from personaagent.nodes.dependencies import Dependencies
    from tests.support.embedder import BagEmbedder

    async def main(folder):
        settings = Settings(home=folder / "home")
        embedder = BagEmbedder()
        embedder.texts = deque(maxlen=1)
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            memory = agent.memory("u")
            await import_episodes(memory, folder / "given.jsonl")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

    asyncio.run(main(Path(sys.argv[1])))
"""


def peak_megabytes(folder: Path, lines: int) -> int:
    folder.mkdir()
    with (folder / "given.jsonl").open("w") as file:
        for number in range(lines):
            file.write(
                json.dumps({"query": f"question {number}", "response": "word " * 5000}) + "\n"
            )
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PEAK), str(folder)],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONPATH": ""},
    )
    return int(done.stdout)


def test_a_file_larger_by_far_takes_no_more_memory(tmp_path: Path) -> None:
    small = peak_megabytes(tmp_path / "small", 400)
    large = peak_megabytes(tmp_path / "large", 2400)
    assert large - small < 20  # the files: 10 and 60 MB
