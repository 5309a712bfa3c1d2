"""Which messages ask about what the agent said earlier, in ten languages."""

import pytest

from personaagent.memory.earlier_answers import LONGEST_QUESTION, asks_about_answers

ASKING = [
    "What did you recommend?",
    "Which phone did you suggest last week?",
    "What was your answer about the phone?",
    "which one did you tell me to buy",
    "You said something about a bakery, which one?",
    "Repeat what you’ve told me about Lisbon.",
    "Is that the same as your last answer?",
    "Have you already recommended a book?",
    "Was hast du mir gestern empfohlen?",
    "Welches Telefon hattest du vorgeschlagen?",
    "Was haben Sie mir geraten?",
    "Ich suche das Buch, das du mir genannt hast.",
    "Was war deine Antwort zu dem Telefon?",
    "Qu'as-tu recommandé comme livre ?",
    "Le restaurant que tu m'as conseillé, c'était lequel ?",
    "Quelle était ta réponse sur le téléphone ?",
    "Que m'avez-vous répondu ?",
    "¿Qué libro me recomendaste?",
    "¿Cuál fue tu respuesta sobre el teléfono?",
    "¿Qué me has dicho del viaje?",
    "¿Qué me sugirió usted ayer?",
    "Qual livro você me recomendou?",
    "O que disseste sobre o telemóvel?",
    "Qual foi a sua resposta?",
    "Quale libro mi hai consigliato?",
    "Qual era la tua risposta sul telefono?",
    "Welk boek heb je mij aangeraden?",
    "Wat was je antwoord over de telefoon?",
    "Het restaurant dat je mij aanbevolen hebt, hoe heet het?",
    "Vilken bok rekommenderade du?",
    "Vad har du sagt om telefonen?",
    "Vad var ditt svar?",
    "你上次推荐了哪本书？",
    "之前你说的那家餐厅叫什么？",
    "你給我推薦過什麼手機?",
    "你建议了什么？",
    "前におすすめしてくれた本は何でしたか？",
    "さっき何て言った？",
    "以前の回答をもう一度見せて。",
    "あなたが勧めた本は？",
]
NOT_ASKING = [
    "Which phone do I have?",
    "Where do I live?",
    "What do you recommend for dinner?",
    "Can you tell me what my sister does?",
    "Did I tell you about my new job?",
    "My doctor told me to rest. What should I eat?",
    "What would you have said in my place?",
    "Give me your advice on the offer.",
    "What did my sister recommend?",
    "Welches Telefon habe ich?",
    "Was empfiehlst du mir?",
    "Habe ich dir gesagt, wo ich wohne?",
    "Meine Eltern wohnen in Kiel. Was haben sie gesagt?",
    "Quel téléphone est-ce que j'ai ?",
    "Que me conseilles-tu ?",
    "Je t'ai dit où j'habite ?",
    "¿Dónde vivo?",
    "¿Qué me recomiendas?",
    "Te dije dónde vivo.",
    "Onde eu moro?",
    "O que você recomenda?",
    "Dove abito?",
    "Che cosa mi consigli?",
    "Waar woon ik?",
    "Wat raad je mij aan?",
    "Var bor jag?",
    "Vad rekommenderar du?",
    "我住在哪里？",
    "你推荐哪本书？",
    "我之前说过我住在哪里吗？",
    "私はどこに住んでいますか？",
    "おすすめの本は何ですか？",
    "前に引っ越したと言ったけど、東京はもう慣れた。",
]


@pytest.mark.parametrize("text", ASKING)
def test_a_question_about_an_earlier_answer_is_seen(text: str) -> None:
    assert asks_about_answers(text)


@pytest.mark.parametrize("text", NOT_ASKING)
def test_other_questions_do_not_ask_for_earlier_answers(text: str) -> None:
    assert not asks_about_answers(text)


def test_a_long_pasted_text_does_not_ask() -> None:
    letter = "As you suggested, we moved the meeting. " * (LONGEST_QUESTION // 40 + 1)
    assert not asks_about_answers(letter)
