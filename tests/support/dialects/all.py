"""All scripted endpoints, in the order of docs/endpoints.md."""

from tests.support.dialects.clouds import DEEPSEEK, MISTRAL
from tests.support.dialects.dialect import Dialect
from tests.support.dialects.layers import ANTHROPIC, GEMINI, OPENROUTER
from tests.support.dialects.openai import AZURE, GPT_4_1, GPT_5, REASONING
from tests.support.dialects.own_machines import LLAMA_CPP, LM_STUDIO, OLLAMA, VLLM

DIALECTS: list[Dialect] = [
    GPT_4_1,
    GPT_5,
    REASONING,
    AZURE,
    ANTHROPIC,
    GEMINI,
    OPENROUTER,
    VLLM,
    OLLAMA,
    LLAMA_CPP,
    LM_STUDIO,
    DEEPSEEK,
    MISTRAL,
]
