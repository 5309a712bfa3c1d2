"""Texts that would switch off the assistant's fixed instructions or give them away, in many languages."""

import re
from typing import NamedTuple

from personaagent.nodes.alignment.copies import plain

__all__ = ["switches_off"]

_OURS = (
    r"(?:instructions?|rules?|guidelines?|guardrails?|directives?|orders?|restrictions?|limits?"
    r"|prompts?|programming|safety|filters?|memory|memories)\b"
)
_ENGLISH = re.compile(
    rf"\b(?:your|previous|prior|earlier|system|hidden|initial|original|locked|fixed)\b ?\w* ?{_OURS}"
    rf"|\b(?:ignor\w+|disregard|forget|overrid\w+|bypass|disobey|disable|without any)\b.{{0,40}}{_OURS}"
    rf"|{_OURS}.{{0,20}}\b(?:above|(?:not|no longer) (?:apply|count|valid)|void|suspended)\b"
    r"|\b(?:persona|preamble|system prompt|safety (?:text|filters?|rules?)|hidden text)\b"
    r"|\b(?:do anything now|jailbr\w+|(?:developer|god|unrestricted) mode)\b"
)


class _Words(NamedTuple):
    """What a language says of rules that are given up.

    The verbs may stand before the rules or after them, at most ``reach`` characters away; ``whose``
    stands before them.
    """

    verbs: str
    rules: str
    whose: str = ""
    reach: int = 40

    @property
    def pattern(self) -> str:
        """The regular expression."""
        verbs, rules, gap = f"(?:{self.verbs})", f"(?:{self.rules})", f".{{0,{self.reach}}}"
        whose = rf"|(?:{self.whose}).{{0,{min(self.reach, 20)}}}{rules}" if self.whose else ""
        return f"{verbs}{gap}{rules}|{rules}{gap}{verbs}{whose}"


_GIVEN_UP = {
    "de": _Words(
        "vergiss|ignorier|missacht",
        "regeln|anweisungen|vorgaben|richtlinien",
        r"\b(?:deine\w*|bisherige\w*)\b",
    ),
    "fr": _Words("oubli|ignor", "règles|consignes|instructions", r"\b(?:tes|vos)\b"),
    "es": _Words("ignora|olvida", "reglas|normas|instrucciones", r"\btus\b"),
    "it": _Words("ignora|dimentica", "regole|istruzioni|norme"),
    "pt": _Words("ignor|esque[cç]", "regras|instruções|normas"),
    "nl": _Words("negeer|vergeet", "regels|instructies|richtlijnen"),
    "tr": _Words("yok say|unut|görmezden gel|dikkate alma", "talimat|kural|yönerge"),
    "ru": _Words("забудь|забыть|игнорир|не соблюдай|отмени", "инструкци|правил|указани|ограничен"),
    "el": _Words("αγνόησ|ξέχασ|παράβλεψ", "οδηγί|κανόν|εντολ|περιορισμ"),
    "ar": _Words("تجاهل|انس|لا تتبع|تخط", "تعليمات|قواعد|أوامر|قيود"),
    "hi": _Words("अनदेखा|भूल|नज़रअंदाज़", "निर्देश|नियम|आदेश"),
    "ja": _Words("無視|忘れ|従わな|解除", "指示|命令|規則|ルール|制限"),
    "zh": _Words("忽略|忘记", "规则|指令|指示|提示|设定", "你的|之前", reach=6),
    "ko": _Words("무시|잊어|따르지|해제", "지시|규칙|명령|제한|지침"),
}
"""By language; English has more ways (``_ENGLISH``)."""
_GIVES_UP_RULES = re.compile(plain("|".join(each.pattern for each in _GIVEN_UP.values())))


def switches_off(text: str) -> bool:
    """Whether the text tells the assistant to give up its instructions, or to show them."""
    return any(each.search(plain(text)) for each in (_ENGLISH, _GIVES_UP_RULES))
