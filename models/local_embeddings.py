"""The local embedding model: all-MiniLM-L6-v2 in int8, by onnxruntime."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personaagent.core.errors import DataError
from personaagent.models.catalog import EMBEDDINGS, find_model
from personaagent.models.download import OnPull, ensure
from personaagent.models.embedded import usable_cores
from personaagent.models.embeddings import CachedEmbedder
from personaagent.models.packages import check_packages

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MOST_TOKENS = 256
"""What the model was trained to read; the rest of a text is cut."""

BATCH = 32
MOST_CORES = 4

GRAPH = Path(__file__).with_name("minilm_int8.onnx")
"""The computation, over the weights of the pulled file (``minilm_graph.py``)."""

WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


class LocalEmbedder(CachedEmbedder):
    """all-MiniLM-L6-v2: 384 dimensions, texts cut at 256 tokens.

    Its files are pulled on first use where they are missing. Its name is that of the pulled files,
    as it was when onnxruntime computed with them in floats: the vectors differ by a cosine of 0.998
    on average, and recall with vectors of both kinds is the same (docs/benchmarks.md).
    """

    def __init__(self, home: Path, on_pull: OnPull = lambda name, done, total: None) -> None:
        model = find_model(EMBEDDINGS)
        super().__init__(f"{model.name}@{model.fingerprint[:8]}")
        self._home = home
        self._on_pull = on_pull
        self._loading = asyncio.Lock()
        self._cores = asyncio.Semaphore(min(usable_cores(), MOST_CORES))
        self._model: MiniLM | None = None

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Texts of like length share a batch, since its longest text sets the cost of all in it."""
        model = await self._loaded()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        computed = await asyncio.gather(
            *(self._embed_batch(model, [texts[i] for i in batch]) for batch in batches)
        )
        by_position = dict(zip(order, chain.from_iterable(computed), strict=True))
        return [by_position[i] for i in range(len(texts))]

    async def _embed_batch(self, model: "MiniLM", texts: list[str]) -> list[list[float]]:
        async with self._cores:
            return await asyncio.to_thread(model.embed, texts)

    async def _loaded(self) -> "MiniLM":
        async with self._loading:
            if self._model is None:
                check_packages(EMBEDDINGS)
                folder = await ensure(EMBEDDINGS, self._home, partial(self._on_pull, EMBEDDINGS))
                self._model = await asyncio.to_thread(MiniLM.load, folder)
        return self._model

    async def ready(self) -> None:
        """Have the model in memory."""
        await self._loaded()

    async def aclose(self) -> None:
        """Nothing is open but the model, which goes with this object."""


class MiniLM:
    """The loaded model. Several threads may embed with it at once."""

    def __init__(self, tokenizer: "Tokenizer", session: "InferenceSession") -> None:
        self._tokenizer = tokenizer
        self._session = session

    @classmethod
    def load(cls, folder: Path) -> "MiniLM":
        """The model over the files in ``folder``.

        Raises:
            DataError: a file is missing or damaged.
        """
        try:
            return cls(_tokenizer(folder), _session(folder))
        except Exception as error:  # onnxruntime's and tokenizers' have no base in common
            raise DataError(
                f"The embedding model in {folder} cannot be loaded ({error}): delete that folder "
                f"and run `personaagent model pull {EMBEDDINGS}`."
            ) from error

    def embed(self, texts: list[str]) -> list[list[float]]:
        """One vector of unit length a text; all texts are padded to the longest."""
        encoded = self._tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": np.array([text.ids for text in encoded], np.int64),
            "attention_mask": np.array([text.attention_mask for text in encoded], np.int64),
        }
        [vectors] = self._session.run(["embedding"], inputs)
        embedded: list[list[float]] = np.asarray(vectors).tolist()
        return embedded


def _tokenizer(folder: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    return tokenizer


def _session(folder: Path) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a batch a core instead: idle threads of its own would spin
    options.inter_op_num_threads = 1
    # The graph is written as it is to run, and one of the fusions would change what it computes.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry(WEIGHTS_FOLDER, str(folder))
    return onnxruntime.InferenceSession(
        GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
