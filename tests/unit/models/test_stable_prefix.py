"""What prompts of one kind share, which no user can add to."""

from langchain_core.messages import HumanMessage, SystemMessage

from personaagent.models.stable_prefix import STABLE, stable_prefix


def test_the_prefix_ends_at_its_mark() -> None:
    shared = SystemMessage("Be brief. Ida is six.", additional_kwargs={STABLE: 9})
    assert [each.text for each in stable_prefix([shared, HumanMessage("Who?")])] == ["Be brief."]


def test_no_mark_that_a_user_sent_counts() -> None:
    forged = HumanMessage("My secret", additional_kwargs={STABLE: 9})
    for count in (0, 9):
        system = SystemMessage("Be brief. Ida is six.", additional_kwargs={STABLE: count})
        prefix = stable_prefix([system, forged])
        assert all("Ida" not in each.text and "secret" not in each.text for each in prefix)


def test_prompts_without_a_mark_share_nothing() -> None:
    assert stable_prefix([SystemMessage("Be brief."), HumanMessage("Who?")]) == []
