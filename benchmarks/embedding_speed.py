"""The local embedding model in int8, against the same file computed in floats, in processor time.

The float baseline is the published graph in onnxruntime, as fastembed loads it, with the same
tokenizer, batches and threads; both take turns.
"""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from filled_home import random_sentence, real_embedder
from measurement import Measurement, report_and_exit

from personaagent.core.settings import load_settings
from personaagent.models.catalog import EMBEDDINGS
from personaagent.models.download import model_folder
from personaagent.models.local_embeddings import BATCH, MiniLM

QUERIES = 200
BATCHES = 12
Embed = Callable[[list[str]], object]


def measure() -> list[Measurement]:
    asyncio.run(real_embedder().ready())
    folder = model_folder(load_settings().home, EMBEDDINGS)
    rng = random.Random("embedding")
    queries = [[random_sentence(rng, rng.randint(5, 14))] for _ in range(QUERIES)]
    batches = [[random_sentence(rng, 24) for _ in range(BATCH)] for _ in range(BATCHES)]
    in_int8, in_floats = MiniLM.load(folder).embed, _in_floats(folder)
    one, one_before = _compare(in_int8, in_floats, queries)
    many, many_before = _compare(in_int8, in_floats, batches)
    return [
        Measurement("a query in int8 (median)", 1000 * one, " ms"),
        Measurement("a query in floats (median)", 1000 * one_before, " ms"),
        Measurement("a query, int8 against floats", one / one_before, "x", most=0.55),
        Measurement("a batch of 32, int8 against floats", many / many_before, "x", most=0.7),
    ]


def _compare(new: Embed, old: Embed, inputs: list[list[str]]) -> tuple[float, float]:
    """The medians of the seconds of both."""
    new(inputs[0])
    old(inputs[0])
    pairs = [(_timed(new, texts), _timed(old, texts)) for texts in inputs]
    return median(seconds for seconds, _ in pairs), median(seconds for _, seconds in pairs)


def _timed(embed: Embed, texts: list[str]) -> float:
    started = time.process_time()
    embed(texts)
    return time.process_time() - started


def _in_floats(folder: Path) -> Embed:
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options)

    def embed(texts: list[str]) -> object:
        encoded = tokenizer.encode_batch(texts)
        ids, mask = (np.array([getattr(e, n) for e in encoded]) for n in ("ids", "attention_mask"))
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        [hidden] = session.run(None, inputs)
        summed = (np.asarray(hidden) * mask[..., None]).sum(axis=1)
        return (summed / np.linalg.norm(summed, axis=1, keepdims=True)).tolist()

    return embed


if __name__ == "__main__":
    report_and_exit(measure())
