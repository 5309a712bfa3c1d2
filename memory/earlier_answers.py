"""The agent's own earlier answers: shown to it only if the user confirmed them, or asks about them.

A message asks about them ("What did you recommend?") if it has a cue: a second person with a verb
of saying or recommending in the past, or "your last answer", by language. The cues prefer
precision: a miss only shows fewer of the agent's own answers.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from personaagent.core.records import Episode
from personaagent.memory.passages import found_by_answer

LONGEST_QUESTION = 400
"""Characters. A longer message is mostly a pasted text, whose "you" is somebody else."""

_EN_SAID = (
    "said|told|recommended|suggested|answered|advised|proposed|mentioned|wrote|written|explained|"
    "replied|listed|come up with|came up with|given|gave"
)
_EN_SAY = (
    "say|tell|recommend|suggest|answer|advise|propose|mention|write|explain|reply|list|give|"
    "come up with"
)
_EN_ANSWER = (
    "answer|recommendation|suggestion|advice|reply|response|proposal|tip|explanation|pick|list"
)
_DE_SAID = (
    "gesagt|empfohlen|vorgeschlagen|geantwortet|beantwortet|geraten|erzählt|geschrieben|erklärt|"
    "genannt|erwähnt|gegeben"
)
_DE_ANSWER = "antwort|antworten|empfehlung|empfehlungen|vorschlag|vorschläge|rat|tipps?|erklärung"
_FR_SAID = (
    "(?:dit|recommandé|suggéré|proposé|conseillé|répondu|expliqué|écrit|mentionné|donné|cité)"
    "(?:e|s|es)?"
)
_FR_ANSWER = "réponse|recommandation|suggestion|proposition|conseil|explication"
_ES_SAID = "dicho|recomendado|sugerido|respondido|aconsejado|propuesto|mencionado|explicado|escrito"
_ES_SAY = "dijo|recomendó|sugirió|respondió|aconsejó|propuso|mencionó|explicó|escribió"
_ES_ANSWER = "respuesta|recomendación|sugerencia|consejo|propuesta|explicación"
_PT_SAID = (
    "disse|recomendou|sugeriu|respondeu|aconselhou|propôs|mencionou|explicou|escreveu|indicou"
)
_PT_ANSWER = "resposta|recomendação|sugestão|proposta|explicação"
_IT_SAID = (
    "detto|consigliato|raccomandato|suggerito|risposto|proposto|menzionato|spiegato|scritto|"
    "indicato"
)
_IT_ANSWER = "risposta|raccomandazione|proposta|spiegazione"
_NL_SAID = (
    "gezegd|aanbevolen|aangeraden|voorgesteld|geantwoord|geadviseerd|verteld|genoemd|geschreven|"
    "uitgelegd"
)
_NL_ANSWER = "antwoord|aanbeveling|advies|suggestie|voorstel|tip|uitleg"
_SV_SAID = "sagt|rekommenderat|föreslagit|svarat|rått|nämnt|skrivit|tipsat|förklarat|berättat"
_SV_SAY = "sa|sade|rekommenderade|föreslog|svarade|rådde|nämnde|skrev|tipsade|förklarade|berättade"
_SV_ANSWER = "svar|rekommendation|förslag|råd|tips|förklaring"
_ZH_SAY = "推荐|推薦|建议|建議|说|說|回答|提到|告诉|告訴|介绍|介紹|解释|解釋|提议|提議"
_ZH_BEFORE = "之前|上次|刚才|剛才|刚刚|剛剛|以前|先前|曾经|曾經|昨天|当时|當時|上回|那次"
_JA_BEFORE = "前に|この前|先日|さっき|以前|昨日|前回|先ほど|あの時"
_JA_SAY = "おすすめ|お勧め|オススメ|薦め|勧め|提案|答え|回答|教え|アドバイス|説明|言っ|言い"

_CUES = {
    "en": [
        rf"\b(?:did|had|have|what'd) you (?:\w+ ){{0,2}}?(?:{_EN_SAY}|{_EN_SAID})\b",
        r"(?<!would )(?<!could )(?<!should )(?<!if )"
        rf"\byou(?: had| have|'d|'ve)? (?:just |already |once )?(?:{_EN_SAID})\b",
        rf"\b(?:was|were) your (?:\w+ )?(?:{_EN_ANSWER})s?\b",
        rf"\byour (?:last|previous|earlier|first|former|original) (?:{_EN_ANSWER})s?\b",
    ],
    "de": [
        rf"\b(?:hast|hattest) du\b[^.?!]{{0,80}}\b(?:{_DE_SAID})\b",
        rf"\bdu\b[^.?!]{{0,60}}\b(?:{_DE_SAID}) (?:hast|hattest)\b",
        rf"\b(?:haben|hatten) (?-i:Sie)\b[^.?!]{{0,80}}\b(?:{_DE_SAID})\b",
        r"\b(?:sagtest|empfahlst|rietst|schlugst|antwortetest|nanntest) du\b",
        rf"\b(?:war|waren) (?:deine?|(?-i:Ihre?)) (?:\w+ )?(?:{_DE_ANSWER})\b",
        rf"\bdeine[nrm]? (?:letzte|vorige|vorherige|frühere|erste)[nrm]? (?:{_DE_ANSWER})\b",
    ],
    "fr": [
        r"\b(?:as-tu|avez-vous|avais-tu|tu (?:m')?(?:as|avais)|vous (?:m')?(?:avez|aviez))"
        rf"\b[^.?!]{{0,60}}\b{_FR_SAID}\b",
        rf"\b(?:était|étaient|a été) (?:ta|votre|ton|tes|vos) (?:\w+ )?(?:{_FR_ANSWER})s?\b",
        rf"\b(?:ta|votre|ton) (?:dernière?|précédente?|première?) (?:{_FR_ANSWER})\b",
        rf"\b(?:ta|votre|ton) (?:{_FR_ANSWER}) précédente?\b",
    ],
    "es": [
        r"\b(?:dijiste|recomendaste|sugeriste|respondiste|aconsejaste|propusiste|mencionaste|"
        r"explicaste|escribiste|contestaste)\b",
        rf"\b(?:has|habías) (?:{_ES_SAID})\b",
        rf"\b(?:{_ES_SAY}) usted\b|\busted (?:me )?(?:{_ES_SAY})\b",
        rf"\b(?:fue|era|fueron|eran) (?:tu|tus|su) (?:\w+ )?(?:{_ES_ANSWER})s?\b",
        rf"\btu (?:última|anterior|primera) (?:{_ES_ANSWER})\b|\btu (?:{_ES_ANSWER}) anterior\b",
    ],
    "pt": [
        rf"\bvocê (?:me |já )?(?:{_PT_SAID})\b",
        r"\b(?:disseste|recomendaste|sugeriste|respondeste|aconselhaste|propuseste)\b",
        rf"\b(?:foi|era|foram|eram) (?:a |o )?(?:sua|tua) (?:\w+ )?(?:{_PT_ANSWER})\b",
        rf"\b(?:sua|tua) (?:última|primeira) (?:{_PT_ANSWER})\b|\b(?:sua|tua) (?:{_PT_ANSWER}) anterior\b",
    ],
    "it": [
        rf"\b(?:hai|avevi) (?:\w+ )?(?:{_IT_SAID})\b",
        rf"\b(?:era|è stata|erano) (?:la |le )?tu[ae] (?:\w+ )?(?:{_IT_ANSWER})\b",
        rf"\btua (?:ultima|precedente|prima) (?:{_IT_ANSWER})\b",
    ],
    "nl": [
        rf"\b(?:heb|had|heeft|hebt) (?:je|jij|u)\b[^.?!]{{0,80}}\b(?:{_NL_SAID})\b",
        rf"\b(?:je|jij|u)\b[^.?!]{{0,60}}\b(?:{_NL_SAID}) (?:hebt|had|heeft)\b",
        r"\b(?:zei|adviseerde|noemde|raadde) (?:je|jij)\b",
        rf"\b(?:was|waren) (?:je|jouw|uw) (?:\w+ )?(?:{_NL_ANSWER})\b",
        rf"\b(?:je|jouw|uw) (?:vorige|eerdere|laatste|eerste) (?:{_NL_ANSWER})\b",
    ],
    "sv": [
        rf"\b(?:har|hade) du\b[^.?!]{{0,60}}\b(?:{_SV_SAID})\b",
        rf"\b(?:{_SV_SAY}) du\b|\bdu (?:{_SV_SAY})\b",
        rf"\bvar (?:ditt|din|dina) (?:\w+ )?(?:{_SV_ANSWER})\b",
        rf"\b(?:ditt|din|dina) (?:förra|senaste|tidigare|första) (?:{_SV_ANSWER})\b",
    ],
    "zh": [
        rf"[你您][^。？！?!，,]{{0,8}}(?:{_ZH_BEFORE})[^。？！?!，,]{{0,12}}(?:{_ZH_SAY})",
        rf"(?:{_ZH_BEFORE})[你您][^。？！?!，,]{{0,12}}(?:{_ZH_SAY})",
        rf"[你您][^。？！?!，,]{{0,8}}(?:{_ZH_SAY})(?:了|过|過|的是)",
    ],
    "ja": [
        rf"(?:{_JA_BEFORE})[^。？！?!]{{0,20}}(?:{_JA_SAY})[^。？！?!]{{0,8}}[たっ][^。！!]*(?:[？?]|か。?$|っけ)",
        r"(?:おすすめし|お勧めし|オススメし|薦め|勧め|提案し|教え|答え|回答し)てくれ(?:た|まし|てい)",
        rf"あなた[がは][^。？！?!]{{0,20}}(?:{_JA_SAY})[^。？！?!]{{0,4}}[たっ]",
        r"(?:前回|以前|さっき|前)の(?:おすすめ|お勧め|オススメ|提案|回答|答え|アドバイス|推薦)",
    ],
}
_CUE = re.compile("|".join(cue for cues in _CUES.values() for cue in cues), re.IGNORECASE)


def asks_about_answers(text: str) -> bool:
    """Whether the user asks what the agent answered, said or recommended before.

    English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Chinese and Japanese.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return len(plain) <= LONGEST_QUESTION and _CUE.search(plain) is not None


def without_unconfirmed(episodes: Iterable[Episode]) -> list[Episode]:
    """The episodes without those answers that the user has not accepted or corrected.

    So the agent does not take its own mistakes for what it knows about the user. A long answer that
    the query finds by a passage in it stays: the user asks for what stands there.
    """
    return [
        episode
        if episode.labelled or found_by_answer(episode)
        else episode.model_copy(update={"response": ""})
        for episode in episodes
    ]


def as_shown_for(query: str, episodes: Sequence[Episode]) -> list[Episode]:
    """The episodes as the prompt of a turn shows them: with unconfirmed answers only if ``query``
    asks about earlier answers."""
    return [*episodes] if asks_about_answers(query) else without_unconfirmed(episodes)
