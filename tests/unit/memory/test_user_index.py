"""A user's index and the embedding model that it was built with."""

from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import EmbeddingsChanged
from personaagent.core.settings import load_settings
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, index_in_memory, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


async def recalled(memory: UserMemory, query: str, k: int = 5) -> list[str]:
    result = await memory.recall(query, k)
    assert result.warnings == []
    return [each.id for each in result.episodes]


async def test_a_changed_embedding_model_is_refused_until_rebuilt(tmp_path: Path) -> None:
    store, settings, index = InMemoryStore(), load_settings(home=tmp_path), index_in_memory()
    old = Memory(settings, BagEmbedder("old"), index).of(store, "anna")
    await remember(old, episode("e1", "rye bread"))
    memory = Memory(settings, BagEmbedder("new"), index)
    new = memory.of(store, "anna")
    for use in (new.recall("bread", 3), new.indexer.index.check_model()):
        with pytest.raises(EmbeddingsChanged) as caught:
            await use
        assert "'anna' is indexed with old" in str(caught.value)
        assert "now new" in str(caught.value)
        assert "personaagent memory reindex" in str(caught.value)
    assert await new.indexer.rebuild() == 1
    assert await recalled(new, "bread") == ["e1"]
    await memory.aclose()
