"""Dates as Google Takeout writes them into HTML: in the user's language and time zone.

"Jan 2, 2025, 3:04:05 PM EDT", "18 Sept 2025, 12:02:52 CET", "10 de mai. de 2026, 03:46:09 BRT",
"19.06.2026, 12:23:08 MESZ", "2026年6月19日 12:23:08 CST", "2024. 10. 19. 오후 9:15:07 KST".
"""

import re
from datetime import UTC, datetime, timedelta

MONTHS = {
    1: "jan jän gen ene ian янв січ oca sty led ιαν tammi",
    2: "feb fév fev фев лют şub lut úno φεβ helmi",
    3: "mar mär mrt maa мар бер bře már μαρ",
    4: "apr avr abr ápr апр кві nis kwi dub απρ huhti",
    5: "may mai maj mei mag máj mayıs май мая тра kvě μαΐ μαϊ touko",
    6: "jun jún jui iun giu июн чер haz cze čer čvn ιουν kesä",
    7: "jul júl juil iul lug июл лип tem lip čvc červenc ιουλ heinä",
    8: "aug aoû ago авг сер ağu sie srp αυγ elo",
    9: "sep set сен вер eyl wrz zář szept σεπ syys",
    10: "oct okt out ott окт жов eki paź říj οκτ loka",
    11: "nov noi ноя лис kas lis νοε marras",
    12: "dec dez dic dés déc des дек гру ara gru pro δεκ joulu",
}
_PREFIXES = {prefix: number for number, each in MONTHS.items() for prefix in each.split()}
ZONES = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "AKST": -9, "AKDT": -8, "HST": -10, "BRT": -3, "BRST": -2, "ART": -3, "CLT": -4, "CLST": -3,
    "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "TRT": 3, "GST": 4, "PKT": 5, "IST": 5.5, "WIB": 7, "ICT": 7, "HKT": 8, "SGT": 8,
    "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours east of UTC; of a name that stands for several, those of the most people, but see below."""
_CHINA = 8  # beside a date with 年, CST is China's
_MORNING = re.compile(r"(?<!\w)(?:a\.?\s?m\.?|오전|上午|午前|π\.?μ\.?|öö)(?!\w)", re.IGNORECASE)
_AFTERNOON = re.compile(r"(?<!\w)(?:p\.?\s?m\.?|오후|下午|午後|μ\.?μ\.?|ös)(?!\w)", re.IGNORECASE)
_LINE = re.compile(
    r"(?P<date>[^:]{6,40}?)[,\s]\s*(?P<half>[^\W\d]{2}\s?)?"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})[:.](?P<second>\d{2})"
    r"(?P<rest>[^:]{0,12}?(?:[+\-−]\d{1,2}(?::?\d{2})?)?)"
)
_OFFSET = re.compile(r"([+\-−])(\d{1,2}):?(\d{2})?")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")


def is_date(text: str) -> bool:
    """Whether ``text`` is nothing but a day and a time to the second."""
    match = _LINE.fullmatch(_plain(text))
    return bool(match and _YEAR.search(match["date"]) and len(_numbers(match["date"])) in (2, 3))


def read_date(text: str) -> str | None:
    """The moment in ISO 8601, in UTC; None if its day cannot be read."""
    match = _LINE.fullmatch(_plain(text))
    if match is None:
        return None
    half = f"{match['half'] or ''} {match['rest']}"
    hour = int(match["hour"])
    if _MORNING.search(half) or _AFTERNOON.search(half):
        hour = hour % 12 + (12 if _AFTERNOON.search(half) else 0)
    try:
        day = _day(match["date"])
        moment = day.replace(hour=hour, minute=int(match["minute"]), second=int(match["second"]))
        return (moment - _zone(match["rest"], match["date"])).isoformat()
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    return " ".join(text.split())


def _numbers(date: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", date)]


def _day(date: str) -> datetime:
    """The day; where three numbers stand, the year is first or last, the month second.

    Raises:
        ValueError: it is none.
    """
    numbers = _numbers(date)
    year = next(number for number in numbers if number > 999)
    others = [number for number in numbers if number != year]
    if len(others) == 1:
        month, day = _month(date), others[0]
    else:
        day, month = others if numbers[0] != year else reversed(others)
        if month > 12:
            day, month = month, day
    return datetime(year - 543 if year > 2400 else year, month, day, tzinfo=UTC)  # Thai: Buddhist


def _month(date: str) -> int:
    """The month whose name begins a word of the date.

    Raises:
        ValueError: none does.
    """
    words = re.findall(r"[^\W\d]{3,}", date.casefold())
    found = [prefix for prefix in _PREFIXES for word in words if word.startswith(prefix)]
    if not found:
        raise ValueError("no month")
    return _PREFIXES[max(found, key=len)]


def _zone(rest: str, date: str) -> timedelta:
    """How far the time is ahead of UTC; a zone that is not known counts as UTC."""
    if offset := _OFFSET.search(rest):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return ahead if offset[1] == "+" else -ahead
    name = re.findall(r"[A-Z]{3,5}", rest)
    if name[-1:] == ["CST"] and "年" in date:
        return timedelta(hours=_CHINA)
    return timedelta(hours=ZONES.get(name[-1] if name else "", 0))
