"""What a call cost: also how much of its prompt the endpoint had in a cache."""

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata

from personaagent.core.records import RoleUsage, Usage
from personaagent.models.usage import usage_of


def answer(read: int, cached: int | None) -> AIMessage:
    details = InputTokenDetails() if cached is None else InputTokenDetails(cache_read=cached)
    return AIMessage(
        "Yes.",
        usage_metadata=UsageMetadata(
            input_tokens=read, output_tokens=2, total_tokens=read + 2, input_token_details=details
        ),
    )


def test_tokens_from_a_cache_are_counted_among_those_read() -> None:
    used = usage_of(answer(100, 60)) + usage_of(answer(50, None)) + usage_of(AIMessage("No count."))
    assert used == RoleUsage(llm_calls=3, input_tokens=150, output_tokens=4, cached_input_tokens=60)
    assert Usage(by_role={"actor": used}).summed()["cached_input_tokens"] == 60


def test_where_there_is_no_cache_nothing_is_stored_of_it() -> None:
    stored = Usage(by_role={"actor": usage_of(answer(100, 0))}).stored()
    assert stored["by_role"]["actor"] == {"llm_calls": 1, "input_tokens": 100, "output_tokens": 2}


def test_usage_that_an_earlier_version_stored_is_read() -> None:
    old = {"llm_calls": 1, "input_tokens": 100, "output_tokens": 2}
    assert RoleUsage.model_validate(old).cached_input_tokens == 0
