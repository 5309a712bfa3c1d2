"""An embedding model of the endpoint."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from personaagent.core.errors import ModelError
from personaagent.core.settings import Settings
from personaagent.models.embeddings import OPENAI_PREFIX, CachedEmbedder

if TYPE_CHECKING:
    import httpx2
    from langchain_openai.embeddings.base import OpenAIEmbeddings

BATCH = 32
ENCODING = "encoding_format"
"""openai's client asks for vectors in base64."""


class EndpointEmbedder(CachedEmbedder):
    """An embedding model of the OpenAI-compatible endpoint."""

    def __init__(self, model: str, settings: Settings) -> None:
        super().__init__(f"{OPENAI_PREFIX}{model}")
        self._model = model
        self._settings = settings
        self._connecting = asyncio.Lock()
        self._client: OpenAIEmbeddings | None = None
        self._http: httpx2.AsyncClient | None = None
        self._options: dict[str, Any] = {}

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        import numpy as np

        from personaagent.models.endpoint_errors import endpoint_errors

        with endpoint_errors("embedding", self._settings.model_retries):
            vectors = np.asarray(await self._request(list(texts)), dtype=np.float32)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if len(vectors) != len(texts) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise ModelError(
                f"The endpoint's {self._model} gave no usable vectors for {len(texts)} texts: "
                "set PERSONAAGENT_EMBEDDINGS to another model."
            )
        unit: list[list[float]] = (vectors / lengths).tolist()
        return unit

    async def ready(self) -> None:
        """Nothing has to be loaded."""

    async def aclose(self) -> None:
        """Close the connections."""
        self._client = None
        if self._http is not None:
            await self._http.aclose()

    async def _request(self, texts: list[str]) -> list[list[float]]:
        """The vectors; as plain numbers from then on where the endpoint refuses base64 by name."""
        import openai

        from personaagent.models.endpoint_reason import whole_reason_of

        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
        try:
            return await self._client.aembed_documents(texts, **self._options)
        except openai.APIStatusError as error:
            if self._options or ENCODING not in whole_reason_of(error):
                raise
            self._options = {ENCODING: "float"}
            return await self._client.aembed_documents(texts, **self._options)

    def _connect(self) -> "OpenAIEmbeddings":
        from langchain_openai.embeddings.base import OpenAIEmbeddings
        from pydantic import SecretStr

        from personaagent.models.chat import endpoint_of
        from personaagent.models.connection import http_client, no_sync_client

        settings = self._settings
        base_url, key = endpoint_of(settings)
        self._http = http_client(base_url, settings.model_timeout)
        return OpenAIEmbeddings(
            model=self._model,
            base_url=base_url,
            api_key=SecretStr(key),
            timeout=self._http.timeout,
            max_retries=settings.model_retries,
            http_client=no_sync_client(),
            http_async_client=self._http,
            check_embedding_ctx_length=False,  # else tokens are sent, which others do not read
            chunk_size=BATCH,
        )
