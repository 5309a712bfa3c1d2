"""What an order to the agent looks like, however it is written or hidden."""

import base64
import binascii
import html
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from personaagent.prompts.fence import TAGS

_SPACED = re.compile(r"(?<!\w)(?:\w[ \t.\-_*·|/]{1,3}){5,}\w(?!\w)")
_SQUEEZED = re.compile(
    r"(?:ignore|disregard|forget|bypass)(?:all|any|your|the|my|previous|prior|safety|of|these)*"
    r"(?:rules|instructions|prompt|guidelines|persona)|(?:always|never|only)(?:recommend|mention|suggest"
    r"|promote|praise|say|tell|answer|reply)|systemprompt|fromnowonyou|youmust(?:always|never|obey)"
    r"|ignorieredeine|recommendonly"
)
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_LOOKALIKES = str.maketrans(
    "аеорсухіѕјкмтвнԁԛԝγαοειкνρτυχωᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢı",
    "aeopcyxisjkmtbhdqwyaoeiknptuxwabcdefghijklmnoprstuvwyzi",
)
_DIGITS = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
_LEET = re.compile(r"(?<![\w@$])(?=[\w@$!]*[a-z])(?=[\w@$!]*[0134579@$!])[\w@$!]+")


@cache
def word_list(kind: str) -> frozenset[str]:
    """The words of that kind that the guard knows (``common`` or ``empty``)."""
    return frozenset(_guard_file()["words"][kind].split())


@cache
def _guard_file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("guard.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def reads_as_instruction(text: str) -> bool:
    """Whether a ground truth reads as an order to the agent, not as an answer the user would like.

    It looks for orders in English, German, French, Spanish and Chinese (some in Italian,
    Portuguese, Dutch and Russian), also where letters are replaced, spaced out, invisible or
    encoded. A recipe's "Always preheat the oven" is an order to a cook, and none.
    """
    return _holds(text, "switches_off", "pushes", "addresses", "markup") or _spelled(text)


def pushes(rule: str) -> bool:
    """Whether a rule, itself an order, pushes something on the user ("always recommend ...")."""
    return _holds(rule, "pushes")


def switches_off(rule: str) -> bool:
    """Whether a rule would switch off the fixed instructions, safety or the persona.

    So does one that is spelled out letter by letter, to be seen by the model only.
    """
    return _holds(rule, "switches_off") or _spelled(rule)


def imitates_markup(rule: str) -> bool:
    """Whether a rule holds what stands for a fence, a role or a chat template's token."""
    return _holds(rule, "markup")


def _holds(text: str, *kinds: str) -> bool:
    order = _order(*kinds)
    return any(order.search(each) for each in readings(text))


@cache
def _order(*kinds: str) -> re.Pattern[str]:
    """What finds an order of one of these kinds."""
    whole = "|".join(f"(?:{each})" for kind in kinds for each in _guard_file()["orders"][kind])
    parts = {"tags": "|".join(TAGS)} | _guard_file()["parts"]
    for name, part in reversed(parts.items()):
        whole = whole.replace(f"%{name}%", part)
    return re.compile(whole)


def normal(text: str) -> str:
    """``text`` in NFKC without characters that are not seen; such as hide letters are brought out."""
    if text.isascii():
        return text
    shown = "".join(_shown(each) for each in text)
    return unicodedata.normalize("NFKC", shown).replace("’", "'")


def readings(text: str) -> set[str]:
    """The ways in which ``text`` can be read: as it stands, its tricks undone, its codes decoded."""
    text = normal(unquote(html.unescape(text)))
    plain = _plain(text)
    alike = plain.translate(_LOOKALIKES)
    digits = [str.maketrans(_DIGITS | {"1": one}) for one in "il"]
    spelt = [_LEET.sub(lambda word, to=to: word[0].translate(to), alike) for to in digits]  # type: ignore[misc]
    return {plain, *spelt, *map(_plain, _decoded(text))}


def _plain(text: str) -> str:
    """In lower case, without accents."""
    parts = unicodedata.normalize("NFD", text.casefold())
    kept = "".join(each for each in parts if unicodedata.category(each) != "Mn")
    return unicodedata.normalize("NFC", kept)


def _shown(character: str) -> str:
    if 0xE0020 <= ord(character) <= 0xE007E:  # tags: invisible doubles of ASCII
        return chr(ord(character) - 0xE0000)
    return "" if unicodedata.category(character) == "Cf" else character


def _spelled(text: str) -> bool:
    """Whether an order is spelled out letter by letter."""
    runs = _SPACED.finditer(_plain(normal(text)))
    return any(_SQUEEZED.search(re.sub(r"[\W_]", "", run[0])) for run in runs)


def _decoded(text: str) -> Iterator[str]:
    for code in _ENCODED.findall(text):
        padded = code.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
