"""The programs whose exports can be imported."""

from typing import Any

from personaagent.memory.exchange.chat_format import ChatFormat, PageFormat
from personaagent.memory.exchange.chatgpt import ChatGPT
from personaagent.memory.exchange.claude import Claude
from personaagent.memory.exchange.gemini import Gemini
from personaagent.memory.exchange.gemini_page import GeminiPage
from personaagent.memory.exchange.librechat import LibreChat
from personaagent.memory.exchange.open_webui import OpenWebUI

FORMATS: tuple[ChatFormat, ...] = (ChatGPT(), Claude(), OpenWebUI(), LibreChat(), Gemini())
PAGES: tuple[PageFormat, ...] = (GeminiPage(),)


def format_of(item: Any) -> ChatFormat | None:
    """The format of a conversation in JSON, by its fields; None if it is none."""
    if not isinstance(item, dict):
        return None
    return next((each for each in FORMATS if each.recognises(item)), None)


def programs() -> str:
    """All programs, for sentences: "ChatGPT, Claude or Gemini"."""
    names = [*dict.fromkeys([each.program for each in FORMATS] + [each.program for each in PAGES])]
    return f"{', '.join(names[:-1])} or {names[-1]}"
