"""What is left of a persona when episodes that it rests on are forgotten."""

from personaagent.core.records import Persona, Proof, Rule


def unsupported_rules(persona: Persona, forgotten: set[str]) -> list[Rule]:
    """The rules that rest on these episodes alone; a rule of the user's own rests on none."""
    return [rule for rule in persona.rules if rule.evidence and forgotten.issuperset(rule.evidence)]


def without_episodes(persona: Persona, forgotten: set[str]) -> Persona:
    """The persona without those rules, without evidence in these episodes, and without any text in
    its proof: each text of a proof may repeat something from a forgotten episode."""
    unsupported = unsupported_rules(persona, forgotten)
    rules = [
        _without_evidence(rule, forgotten) for rule in persona.rules if rule not in unsupported
    ]
    proof = persona.proof and _numbers_only(persona.proof, forgotten)
    return persona.model_copy(update={"rules": rules, "proof": proof})


def _without_evidence(rule: Rule, forgotten: set[str]) -> Rule:
    evidence = [id for id in rule.evidence if id not in forgotten]
    return rule.model_copy(update={"evidence": evidence})


def _numbers_only(proof: Proof, forgotten: set[str]) -> Proof:
    """The losses of the proof, without those of the forgotten episodes."""
    no_text = {"before_answer": "", "after_answer": ""}
    pairs = [p.model_copy(update=no_text) for p in proof.pairs if p.episode not in forgotten]
    return proof.model_copy(update={"gradient": "", "pairs": pairs})
