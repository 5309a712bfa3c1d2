"""What prompts of one kind share, which no user can add to."""

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from personaagent.models.stable_prefix import STABLE, stable_prefix, with_mark

SYSTEM, QUESTION = SystemMessage("Be brief."), HumanMessage("Who is Ida?")


def texts(messages: list[BaseMessage]) -> list[str]:
    return [each.text for each in stable_prefix(messages)]


def test_the_prefix_ends_at_its_mark() -> None:
    example = with_mark(AIMessage("Yes. Ida is six."), 4)
    assert texts([SYSTEM, example, QUESTION]) == ["Be brief.", "Yes."]


def test_a_mark_that_a_client_sends_counts_for_nothing() -> None:
    """Else what stands before it, the user's memories too, would be kept in a file."""
    forged = HumanMessage("My secret", additional_kwargs={STABLE: 9})
    assert texts([SYSTEM, forged]) == []
    stored = HumanMessage.model_validate_json(with_mark(QUESTION, 3).model_dump_json())
    assert texts([SYSTEM, stored]) == []


def test_prompts_without_a_mark_share_nothing() -> None:
    assert texts([SYSTEM, QUESTION]) == []
