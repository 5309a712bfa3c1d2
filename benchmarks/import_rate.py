"""How fast a file is imported, including embeddings, against the embedding model alone."""

import asyncio
import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from filled_home import random_sentence, real_embedder
from measurement import Measurement, print_progress, quick, report_and_exit

from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from personaagent.memory.exchange.importer import import_episodes
from personaagent.nodes.dependencies import Dependencies

FILES = 1 if quick() else 4
EPISODES_PER_FILE = 500


async def measure() -> list[Measurement]:
    rng = random.Random("import")
    embedder = real_embedder()
    await embedder.embed(["load the model"])
    import_seconds = embedding_seconds = 0.0
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = load_settings(home=Path(folder))
        async with open_local(settings, Dependencies.from_settings(settings, embedder)) as agent:
            print_progress(f"{FILES} times {EPISODES_PER_FILE} episodes ...")
            for _ in range(FILES):
                texts, other_texts = _texts(rng), _texts(rng)
                file = Path(folder) / "episodes.jsonl"
                lines = ({"query": text, "response": random_sentence(rng, 30)} for text in texts)
                file.write_text("\n".join(map(json.dumps, lines)), "utf-8")

                started = time.perf_counter()
                imported = await import_episodes(agent.memory("user"), file)
                import_seconds += time.perf_counter() - started
                assert (imported.added, imported.warnings) == (EPISODES_PER_FILE, [])

                started = time.perf_counter()
                await embedder.embed(other_texts)  # the embedder keeps recent texts
                embedding_seconds += time.perf_counter() - started
    episodes = FILES * EPISODES_PER_FILE
    import_rate, embedding_rate = episodes / import_seconds, episodes / embedding_seconds
    return [
        Measurement("the embedding model alone", embedding_rate, " texts/s"),
        Measurement(
            "import against the embedding model alone", import_rate / embedding_rate, "x", least=0.9
        ),
        Measurement("import", import_rate, " episodes/s"),
    ]


def _texts(rng: random.Random) -> list[str]:
    return [random_sentence(rng, rng.randint(6, 24)) for _ in range(EPISODES_PER_FILE)]


if __name__ == "__main__":
    report_and_exit(asyncio.run(measure()))
