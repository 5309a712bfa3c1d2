"""A language model of a hundred kilobytes for the embedded engine: each byte of a text is a token.

Its weights are random, so it writes nonsense. What it reads, and what it has in its cache, is counted
as for any other model.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

WIDTH, HEADS = 32, 2
START, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
NORMAL, CONTROL = 1, 3
ALIGNMENT = 32
Value = tuple[int, object]


def write_tiny_model(file: Path, *, seed: int = 0) -> Path:
    """Write the model to ``file`` (GGUF)."""
    tokens = [*_byte_tokens(), "aa", START, END]
    fields: dict[str, Value] = {
        "general.architecture": (STRING, "qwen2"),
        "qwen2.block_count": (UINT32, 1),
        "qwen2.context_length": (UINT32, 32768),
        "qwen2.embedding_length": (UINT32, WIDTH),
        "qwen2.feed_forward_length": (UINT32, WIDTH),
        "qwen2.attention.head_count": (UINT32, HEADS),
        "qwen2.attention.head_count_kv": (UINT32, 1),
        "qwen2.attention.layer_norm_rms_epsilon": (FLOAT32, 1e-6),
        "tokenizer.ggml.model": (STRING, "gpt2"),
        "tokenizer.ggml.pre": (STRING, "qwen2"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (INT32, [NORMAL] * 257 + [CONTROL] * 2)),
        "tokenizer.ggml.merges": (ARRAY, (STRING, ["a a"])),
        "tokenizer.ggml.eos_token_id": (UINT32, len(tokens) - 1),
        "tokenizer.chat_template": (STRING, TEMPLATE),
    }
    file.write_bytes(_gguf(fields, _tensors(len(tokens), np.random.default_rng(seed))))
    return file


def _byte_tokens() -> list[str]:
    """The 256 bytes, as GPT-2 writes them: those that cannot be shown as letters from 256 on."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + i) for i in range(len(hidden))]


def _tensors(tokens: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    head = WIDTH // HEADS
    shapes = {
        "token_embd.weight": (tokens, WIDTH),
        "output.weight": (tokens, WIDTH),
        "blk.0.attn_q.weight": (WIDTH, WIDTH),
        "blk.0.attn_k.weight": (head, WIDTH),
        "blk.0.attn_v.weight": (head, WIDTH),
        "blk.0.attn_output.weight": (WIDTH, WIDTH),
        "blk.0.attn_q.bias": (WIDTH,),
        "blk.0.attn_k.bias": (head,),
        "blk.0.attn_v.bias": (head,),
        "blk.0.ffn_gate.weight": (WIDTH, WIDTH),
        "blk.0.ffn_up.weight": (WIDTH, WIDTH),
        "blk.0.ffn_down.weight": (WIDTH, WIDTH),
    }
    weights = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    for norm in ("output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"):
        weights[norm] = np.ones(WIDTH)
    return {name: values.astype(np.float32) for name, values in weights.items()}


def _gguf(fields: Mapping[str, Value], tensors: Mapping[str, np.ndarray]) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields))
    for name, (kind, value) in fields.items():
        head += _string(name) + struct.pack("<I", kind) + _value(kind, value)
    data = b""
    for name, values in tensors.items():
        shape = values.shape[::-1]
        head += _string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head += struct.pack("<IQ", 0, len(data))  # float32, where it begins
        data += _padded(values.tobytes())
    return _padded(head) + data


def _value(kind: int, value: object) -> bytes:
    match kind, value:
        case _, str(text):
            return _string(text)
        case _, (int(inner), Sequence() as values):
            packed = b"".join(_value(inner, each) for each in values)
            return struct.pack("<IQ", inner, len(values)) + packed
        case _:
            return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], value)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)
