"""Reranking: a model reads the query and each text together, and says how well they fit."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from personaagent.core.errors import ConfigurationError, ModelError, ModelUnavailable
from personaagent.core.extras import check_installed
from personaagent.core.settings import Settings

if TYPE_CHECKING:
    import httpx2
    from fastembed.rerank.cross_encoder import TextCrossEncoder

MODEL_FILES = "model.onnx", "onnx/model.onnx"


class Reranker(Protocol):
    """Scores texts by how well they fit a query."""

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """One score a text, in the texts' order; higher fits better.

        Raises:
            ModelError, ConfigurationError: the model or its endpoint failed.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open."""


def make_reranker(settings: Settings) -> Reranker | None:
    """The reranker that the settings ask for, None if for none; nothing is loaded or opened yet."""
    if settings.rerank_url:
        return EndpointReranker(settings.rerank_url, settings)
    return LocalReranker(settings.rerank_model) if settings.rerank_model else None


class EndpointReranker:
    """A ``/rerank`` address: the shape that Jina, Cohere and vLLM share, else that of TEI.

    They take ``documents`` and give ``{"results": [{"index", "relevance_score"}]}``; TEI takes
    ``texts`` and gives ``[{"index", "score"}]``.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._http: httpx2.AsyncClient | None = None
        self._field = "documents"

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        import httpx2

        try:
            response = await self._post(query, texts)
            if response.status_code in (400, 422) and self._field == "documents":
                self._field = "texts"
                response = await self._post(query, texts)
            response.raise_for_status()
            return _scores(response.json(), len(texts))
        except (httpx2.TransportError, TimeoutError) as error:
            raise ModelUnavailable(
                f"The reranker at {self._url} cannot be reached: check PERSONAAGENT_RERANK_URL."
            ) from error
        except httpx2.HTTPStatusError as error:
            raise ModelError(
                f"The reranker at {self._url} answered {error.response.status_code}: check "
                "PERSONAAGENT_RERANK_URL, _MODEL and _API_KEY."
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise ModelError(f"The answer of the reranker at {self._url} has no scores.") from error

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _post(self, query: str, texts: Sequence[str]) -> "httpx2.Response":
        from personaagent.models.connection import http_client

        if self._http is None:
            self._http = http_client(self._url, self._settings.rerank_timeout)
        key, model = self._settings.rerank_api_key, self._settings.rerank_model
        return await self._http.post(
            self._url,
            json={"query": query, self._field: [*texts]} | ({"model": model} if model else {}),
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else {},
        )


class LocalReranker:
    """A cross-encoder by fastembed: a folder with an ONNX file, or a name that fastembed knows."""

    def __init__(self, model: str) -> None:
        self._name = model
        self._loading = asyncio.Lock()
        self._model: TextCrossEncoder | None = None

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        async with self._loading:
            if self._model is None:
                self._model = await asyncio.to_thread(_load, self._name)
        return await asyncio.to_thread(_score, self._model, query, [*texts])

    async def aclose(self) -> None:
        """Nothing is open but the model, which goes with this object."""


def _load(name: str) -> "TextCrossEncoder":
    check_installed("fastembed", "rerank", "A local reranker", "set PERSONAAGENT_RERANK_URL")
    from fastembed.common.model_description import ModelSource
    from fastembed.rerank.cross_encoder import TextCrossEncoder

    folder = Path(name).expanduser()
    options: dict[str, Any] = {}
    try:
        if folder.is_dir():
            file = next(file for file in MODEL_FILES if (folder / file).is_file())
            if name not in [model["model"] for model in TextCrossEncoder.list_supported_models()]:
                TextCrossEncoder.add_custom_model(name, ModelSource(url="file:"), file)
            options = {"specific_model_path": str(folder), "local_files_only": True}
        return TextCrossEncoder(name, **options)
    except Exception as error:  # onnxruntime's, tokenizers' and the hub's have no base in common
        raise ConfigurationError(
            f"The reranker {name} cannot be loaded ({error or 'no model.onnx'}): set "
            "PERSONAAGENT_RERANK_MODEL to a folder with model.onnx and tokenizer.json, or to a "
            "cross-encoder of fastembed."
        ) from error


def _score(model: "TextCrossEncoder", query: str, texts: list[str]) -> list[float]:
    return [float(score) for score in model.rerank(query, texts)]


def _scores(answer: Any, count: int) -> list[float]:
    """The scores by index; a text that the answer leaves out comes last."""
    results = answer["results"] if isinstance(answer, dict) else answer
    scores = [float("-inf")] * count
    for result in results:
        scores[result["index"]] = float(result.get("relevance_score", result.get("score")))
    if count and not results:
        raise ValueError("no results")
    return scores
