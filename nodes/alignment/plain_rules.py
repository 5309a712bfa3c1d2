"""Rules as plain instructions to the assistant, whatever words a literal critic or editor chose.

They are read without the interactions that they were learned from: so "The assistant should translate
the wanted answer into German (E1)" is kept as "Translate the answer into German".
"""

import re

__all__ = ["plain_instruction", "unclear"]

_CITED = re.compile(
    r"\s*[(\[](?:(?:as |shown |see |e\.g\.,? )*(?:in |by )?(?:episodes?|interactions?)? ?"
    r"(?:E?\d{1,2}|E\d{1,2})(?:(?:,| and|, and|-|–) ?E?\d{1,2})*)[)\]]",
    re.IGNORECASE,
)
_MUST = r"(?:should|must|shall|needs? to|has to|have to|ought to)"
_ANSWERS = r"(?:answers?|responses?|repl(?:y|ies))"
_SUBJECT = re.compile(
    r"^(?:(?:from now on,? )?(?:the )?(?:ai |personal )?"
    rf"(?:assistant|agent|model|chatbot|bot|ai|system|you|it) {_MUST}|{_MUST})\s+",
    re.IGNORECASE,
)
_ANSWERS_MUST = re.compile(
    rf"^(?:the |its |all |your )?(?:(?:assistant's|wanted|desired|expected) )?{_ANSWERS} "
    rf"(?:(?P<must>{_MUST}) )(?P<rest>.+)$",
    re.IGNORECASE,
)
_WANTED_ARE = re.compile(
    rf"^(?:the )?(?:wanted|desired|expected) {_ANSWERS} (?P<verb>is|are) (?P<rest>.+)$",
    re.IGNORECASE,
)
_WANTED = re.compile(
    rf"\b(?P<the>the |its |their |your )?(?:wanted|desired|given) (?P<noun>{_ANSWERS})"
    r"(?= (?:(?:always|only) )?(?:in|into|to|as|with|within|without|by|using|under|before|after)\b)",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:match|mirror|copy|repeat|imitate|compare|resemble|like|same|similar|closer?|differ\w*"
    r"|instead|than|identical|equal)\b",
    re.IGNORECASE,
)
_UNCLEAR = {
    "names a wanted or given answer, which nobody sees who follows the rule": re.compile(
        rf"\b(?:wanted|desired|expected|given|correct|target|ground[- ]truth) {_ANSWERS}\b"
        r"|\bground truth\b"
        r"|\b(?:gewünschte|erwartete|gegebene)[nrs]? antwort"
        r"|\bréponses? (?:voulue|souhaitée|attendue|donnée)|\brespuestas? (?:deseada|esperada|dada)"
        r"|\b(?:желаем|ожидаем|данн)\w+ ответ|\bistenen (?:cevap|yanıt)|\bbeklenen (?:cevap|yanıt)"
        r"|επιθυμητ\w+ απάντηση|الإجابة المطلوبة|वांछित उत्तर|(?:期望|想要|给定)的?(?:回答|答案)"
        r"|(?:期待される|望ましい|与えられた)(?:回答|答え)|원하는 답변|주어진 답변",
        re.IGNORECASE,
    ),
    "names an episode, which nobody sees who follows the rule": re.compile(
        r"\bE\d{1,2}\b(?!\s*(?:fuel|petrol|number))"
        r"|\b(?i:these|those|the above|cited|(?:this|that) very|all shown) (?i:episodes?|interactions?)\b"
        r"|\b(?i:episodes?|interactions?) \d{1,2}\b"
    ),
    "speaks of the assistant in the third person": re.compile(
        r"\bthe (?:ai |personal )?(?:assistant|chatbot)\b(?! manager| editor| director)"
        r"|^(?:the )?(?:assistant|chatbot)\b|\b(?:der|des|dem) assistent\w*\b"
        r"|\bl'assistant\b|\b(?:el|del|al) asistente\b|\bассистент\w*|\basistan(?:ın|a)?\b"
        r"|\bο βοηθός\b|المساعد|सहायक|助手(?:应|必须|需要)|アシスタント(?:は|が)|어시스턴트(?:는|가)",
        re.IGNORECASE,
    ),
}
HINT = 'write what to do, such as "Answer in Dutch"'


def plain_instruction(text: str) -> str:
    """The rule as an order to the assistant, where that can be said without guessing.

    Dropped are ids of episodes in brackets, "the assistant should", and the word ``wanted`` or
    ``given`` before an answer that is to be in some form. All else stays as it is: ``unclear`` says
    whether that is a rule.
    """
    rule = _CITED.sub("", text).strip()
    ordered = _about_answers(rule) or _without_subject(rule)
    if len(_WANTED.findall(ordered)) == 1 and not _COMPARES.search(ordered):
        ordered = _WANTED.sub(r"\g<the>\g<noun>", ordered)
    ordered = _answer_in(ordered)
    return ordered if ordered == text else ordered[:1].upper() + ordered[1:]


def unclear(rule: str) -> str | None:
    """Why the rule says nothing to somebody who sees it alone; None if it does."""
    for why, pattern in _UNCLEAR.items():
        if pattern.search(rule):
            return f"the rule {why}: {HINT}"
    return None


def _without_subject(rule: str) -> str:
    """Without "The assistant should"."""
    subject = _SUBJECT.match(rule)
    if not subject:
        return rule
    rest = rule[subject.end() :]
    if denied := re.match(r"(?:not|never) ", rest, re.IGNORECASE):
        word = "Never " if denied[0].lower().startswith("never") else "Do not "
        return word + rest[denied.end() :]
    return rest


def _about_answers(rule: str) -> str | None:
    """ "Wanted answers should be short" as "Give answers that are short"; None if it is no such rule."""
    if _COMPARES.search(rule):
        return None
    if match := _WANTED_ARE.match(rule):
        return f"Give answers that are {match['rest']}"
    if not (match := _ANSWERS_MUST.match(rule)):
        return None
    rest = match["rest"]
    for words, instead in (("not be ", "are not "), ("be ", "are "), ("not ", "do not ")):
        if rest.startswith(words):
            return f"Give answers that {instead}{rest.removeprefix(words)}"
    return f"Give answers that {rest}"


def _answer_in(rule: str) -> str:
    """ "Translate the answer into German" as "Answer in German": there is no answer before it."""
    return re.sub(
        rf"^(?P<begin>(?:always )?)(?:translate|convert) (?:the |your |all )?{_ANSWERS} (?:in)?to"
        r" (?=(?-i:[A-Z]\w+))",
        lambda match: f"{match['begin']}{'answer' if match['begin'] else 'Answer'} in ",
        rule,
        flags=re.IGNORECASE,
    )
