"""A chat model that answers from a function of what it is told, and a stand-in for ``Models``.

def responder(prompt: Prompt) -> Reply:
    assert "rye bread" in prompt.system
    return "You like rye." if prompt.tools else [call("search_wikipedia", query="rye")]

parts = scripted_parts(settings, responder)
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from personaagent.core.settings import Role, Settings
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.memory import Memory
from personaagent.nodes.agent.branches import branch_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.tools.recall_episodes import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool
from tests.support.embedder import BagEmbedder

Reply = str | list[ToolCall] | Exception


class OneToken(str):
    """A reply of one token, and how probable each token was in its place."""

    __slots__ = ("probabilities",)
    probabilities: dict[str, float]

    def __new__(cls, probabilities: dict[str, float]) -> "OneToken":
        token = super().__new__(cls, max(probabilities, key=probabilities.__getitem__))
        token.probabilities = probabilities
        return token

    @property
    def logprobs(self) -> dict[str, Any]:
        """As ``response_metadata["logprobs"]`` has them."""
        likeliest = [{"token": t, "logprob": log(p)} for t, p in self.probabilities.items()]
        written = next(each for each in likeliest if each["token"] == self)
        return {"content": [written | {"top_logprobs": likeliest}]}


@dataclass(frozen=True)
class Prompt:
    """What the model is told in one call."""

    messages: list[BaseMessage]
    tools: list[dict[str, Any]]
    options: dict[str, Any]

    @property
    def system(self) -> str:
        """The system prompt."""
        return self.messages[0].text

    @property
    def last(self) -> str:
        """The text of the last message."""
        return self.messages[-1].text

    @property
    def observations(self) -> list[str]:
        """What tools have returned."""
        return [message.text for message in self.messages if isinstance(message, ToolMessage)]


Responder = Callable[[Prompt], Reply]


def call(name: str, **args: Any) -> ToolCall:
    """A call of the tool ``name``."""
    return ToolCall(name=name, args=args, id=f"call_{uuid4().hex}", type="tool_call")


class ScriptedModel(BaseChatModel):
    """Streams the responder's reply word by word; 10 tokens in and a token a word out."""

    responder: Responder
    prompts: list[Any]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._reply(messages, kwargs)
        said, calls = (reply, []) if isinstance(reply, str) else ("", reply)
        message = AIMessage(
            said,
            tool_calls=calls,
            usage_metadata=_usage(reply),
            response_metadata=_metadata(reply),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply = self._reply(messages, kwargs)
        for number, word in enumerate(_words(reply)):
            yield _chunk(word if number == 0 else f" {word}")
        calls = [] if isinstance(reply, str) else reply
        last = AIMessageChunk(
            "",
            tool_calls=calls,
            usage_metadata=_usage(reply),
            response_metadata=_metadata(reply),
        )
        yield ChatGenerationChunk(message=last)

    def _reply(self, messages: list[BaseMessage], options: dict[str, Any]) -> str | list[ToolCall]:
        prompt = Prompt(messages, options.pop("tools", []), options)
        self.prompts.append(prompt)
        reply = self.responder(prompt)
        if isinstance(reply, Exception):
            raise reply
        return reply


def _words(reply: str | list[ToolCall]) -> list[str]:
    return reply.split(" ") if isinstance(reply, str) else []


def _usage(reply: str | list[ToolCall]) -> UsageMetadata:
    wrote = len(_words(reply))
    return UsageMetadata(input_tokens=10, output_tokens=wrote, total_tokens=10 + wrote)


def _metadata(reply: str | list[ToolCall]) -> dict[str, Any]:
    return {"logprobs": reply.logprobs} if isinstance(reply, OneToken) else {}


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(text))


@dataclass
class ScriptedModels:
    """In place of ``Models``: one scripted model plays every role; ``asked`` says which, when."""

    model: ScriptedModel
    asked: list[Role] = field(default_factory=list)

    def describe(self, role: Role) -> str:
        return "scripted"

    async def chat(self, role: Role) -> BaseChatModel:
        self.asked.append(role)
        return self.model

    def take_notices(self) -> list[str]:
        return []

    async def aclose(self) -> None:
        return None


def scripted_dependencies(
    settings: Settings, responder: Responder, index: EpisodeIndex | None = None
) -> tuple[Dependencies, list[Prompt]]:
    """Dependencies with scripted models and embeddings of word counts; and the prompts, as they come."""
    model = ScriptedModel(responder=responder, prompts=[])
    memory = Memory(settings, BagEmbedder(), index)
    deps = replace(
        Dependencies.from_settings(settings, memory.embedder),
        models=ScriptedModels(model),
        memory=memory,
        tools=[
            search_wikipedia_tool(Wikipedia(settings)),
            recall_tool(lambda runtime: branch_memory(memory, runtime.state, runtime), settings),
        ],
    )
    return deps, model.prompts
