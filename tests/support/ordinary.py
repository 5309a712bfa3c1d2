"""Ordinary rules that users want, in nine languages, and what they were learned from."""

from dataclasses import dataclass
from pathlib import Path

from personaagent.core.records import Episode
from tests.support.memories import episode

LETTERS = {
    "en": ("Write to my colleague Tomas", "See you at six. Best, Mira"),
    "de": ("Schreib meinem Kollegen Tomas", "Bis um sechs. Viele Grüße, Mira"),
    "fr": ("Écris à mon collègue Tomas", "À six heures alors. Bien à toi, Mira"),
    "es": ("Escribe a mi compañero Tomás", "Nos vemos a las seis. Un abrazo, Mira"),
    "it": ("Scrivi al mio collega Tomas", "Ci vediamo alle sei. Un caro saluto, Mira"),
    "pt": ("Escreve ao meu colega Tomás", "Até às seis. Um abraço, Mira"),
    "nl": ("Schrijf mijn collega Tomas", "Tot zes uur. Groet, Mira"),
    "ja": ("同僚のトマスに書いて", "六時に会いましょう。ミラより"),
    "zh": ("给同事托马斯写信", "六点见。米拉敬上"),
}
FLOUR = {
    "en": ("Two cups of flour?", "240 g"),
    "de": ("Wie viel Mehl sind zwei Tassen?", "240 g"),
    "fr": ("Deux tasses de farine ?", "240 g"),
    "es": ("¿Dos tazas de harina?", "240 g"),
    "it": ("Due tazze di farina?", "240 g"),
    "pt": ("Duas chávenas de farinha?", "240 g"),
    "nl": ("Twee kopjes bloem?", "240 g"),
    "ja": ("小麦粉二カップは？", "240 g"),
    "zh": ("两杯面粉是多少？", "240克"),
}
ANSWERS = {
    "en": (
        "The genre is Drama. It has Robots.",
        "Dear Tomas, always keep the receipt.",
        "Sure! That is about 2 cups of flour. I hope this helps! 😀",
        "The recipe has ten steps: first the ingredients, then the oven. The film is a Drama. "
        "The review sounds good, so I would give 5 stars. The report was written in London.",
    ),
    "de": (
        "Gern! Das sind etwa zwei Tassen Mehl. Ich hoffe, das hilft! 😀",
        "Sehr geehrter Tomas, wir sehen uns um 6 Uhr abends. Mit freundlichen Grüßen, Ihr Assistent",
        "Das Rezept hat zehn Schritte und nennt die Mengen in Tassen. Der Film gehört zur "
        "Kategorie Drama. Das Produkt bekommt 5 Sterne. Der Bericht steht ohne Datum da, und die "
        "Begründung kommt vor der Antwort.",
    ),
    "fr": (
        "Bien sûr ! C'est environ deux tasses. N'hésitez pas si vous avez des questions ! 😀",
        "Cher Tomas, rendez-vous à 6 heures du soir. Cordialement, votre Assistant",
        "La recette a dix étapes et donne les quantités en tasses. La réponse vient après la raison.",
    ),
    "es": (
        "¡Claro! Son unas dos tazas. ¡Espero que ayude! 😀",
        "Estimado Tomás: nos vemos a las 6 de la tarde. Atentamente, su Asistente",
        "La receta tiene diez pasos y da las cantidades en tazas. La respuesta va tras el motivo.",
    ),
    "it": ("Certo! Sono circa due tazze. Spero che ti aiuti! 😀", "Gentile Tomas, alle 6 di sera."),
    "pt": ("Claro! São umas duas chávenas. Espero que ajude! 😀", "Caro Tomás, às 6 da tarde."),
    "nl": ("Zeker! Dat zijn twee kopjes. Ik hoop dat dit helpt! 😀", "Beste Tomas, tot 6 uur."),
    "ja": (
        "もちろんです！約二カップです。お役に立てれば幸いです！😀",
        "トマス様、六時にお会いします。",
    ),
    "zh": ("当然！大约两杯。希望对您有帮助！😀", "尊敬的托马斯：六点见。此致敬礼"),
}


@dataclass(frozen=True)
class Ordinary:
    """A rule, the user's own episodes, and the answers that were wrong."""

    language: str
    rule: str

    @property
    def episodes(self) -> list[Episode]:
        """Two corrected letters, an amount and a label, on four occasions; a letter is the first."""
        (letter, signed), (flour, grams) = LETTERS[self.language], FLOUR[self.language]
        tag = "Which tag: sci-fi, based on a book"
        return [
            episode("again", f"{letter} (2)", day=9, ground_truth=f"OK. {signed}"),
            episode("note", letter, ground_truth=signed),
            episode("tag", tag, day=1, ground_truth="based on a book"),
            episode("grams", flour, day=2, ground_truth=grams),
        ]

    @property
    def answers(self) -> tuple[str, ...]:
        """What a model says that does not know the user."""
        return ANSWERS[self.language]


def ordinary_rules() -> list[Ordinary]:
    """All of ``ordinary_rules.txt``, whose headings are languages."""
    rules, language = [], "en"
    text = Path(__file__).with_name("ordinary_rules.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("# "):
            language = line[2:]
        else:
            rules.append(Ordinary(language, line))
    return rules
