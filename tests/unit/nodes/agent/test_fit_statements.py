"""Which statements of a long profile stand in the prompt."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from personaagent.core.records import Profile, Statement
from personaagent.core.settings import load_settings
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.format import format_summary
from personaagent.nodes.agent.prompt_budget import fit_statements

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_long_profile_leaves_half_of_the_prompt_to_memories(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, prompt_tokens=1000)
    statements = [
        Statement(id=f"s{n}", text=f"Fact {n} " + "word " * 40, source="notes",
                  changed_at=START + timedelta(days=n))
        for n in range(100)
    ]  # fmt: skip
    statements[3] = statements[3].model_copy(update={"locked": True})
    statements[7] = statements[7].model_copy(update={"source": "user"})
    shown = fit_statements(Profile(summary=statements), settings).summary
    assert estimate_tokens(format_summary(shown)) < 600
    assert shown == sorted(shown, key=statements.index), "in their order"
    assert [each.id for each in shown[:2]] == ["s3", "s7"]
    assert shown[-1].id == "s99"
    few = Profile(summary=statements[:2])
    assert fit_statements(few, settings) == few
