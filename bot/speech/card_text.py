"""Reading the prose of character cards: macros filled in, actions taken out, lists found, names made fit to show."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

from bot.domain import BadInput
from bot.speech.safety import insults_looks, is_safe

MAX_NAME, MAX_LINE, MAX_LIKES, MAX_LIKE = 80, 120, 5, 60
READ = 4000  # characters of a field that are looked at; a greeting may be a chapter
AROUND = " \t\"'`*_-[](){}<>.\u3002"  # an item of a list
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that look like nothing
CHAR = re.compile(r"\{\{\s*char\s*\}\}|<(?:bot|char)>", re.IGNORECASE)
USER = re.compile(r"\{\{\s*user\s*\}\}|<user>", re.IGNORECASE)
WRAPPER, WRAPPER_END = (re.compile(rf"<{slash}(?:bot|char|user)>", re.IGNORECASE) for slash in ("/?", "/"))
OWNED = re.compile(rf"(?:{USER.pattern})['\u2019]s\b", re.IGNORECASE)
MACRO = re.compile(r"\{\{[^{}]*\}\}")
MARKUP = re.compile(
    r"!?\[[^\[\]]*\](?:\([^()]*\))?"  # pictures, links, and notes in brackets
    r"|<[^<>]*>|\(\(?OOC[^()]*\)?\)|```[^`]*```|^[ \t]*(?:#{1,6}[ \t]|>[ \t]?|[-=_~]{3,}[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)
STRONG = re.compile(r"\*\*([^*\n]+)\*\*|__([^_\n]+)__")
STRESSED = re.compile(r"(?<=[A-Za-z,] )\*([A-Za-z']+)(?<!s)\*")  # "I *love* it", but not "well *waves* hello"
ACTION = re.compile(r"\*+[^*]*\*+|\*[^\n]*|(?<!\w)_[^_\n]+_(?!\w)")
SPEECH = re.compile(
    r"\"([^\"\n]*[^\"\n\w\s])\"|\u201c([^\u201c\u201d]*[^\u201c\u201d\w\s])\u201d"
    r"|\u300c([^\u300c\u300d]*)\u300d|\u300e([^\u300e\u300f]*)\u300f"
)
SENTENCE_END = re.compile(
    r"(?<!\bMr\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?:(?<=[.!?\u2026~])|(?<=[.!?\u2026][\"'\u201d\u2019)]))(?=\s)"
    r"|(?<=[\u3002\uff01\uff1f])(?![\u3002\uff01\uff1f\u201d\u2019])"
)
FACT_LINE = re.compile(
    r"^[^\w\n]*\w[\w /'-]{0,30}[^\S\n]*(?:[:=\uff1a]|\(\s*[\"\u201c]).*$", re.MULTILINE
)  # "Age: 40", 'Age("40")'
LIKES = re.compile(
    r"(?<![\w-])(?:likes|loves|enjoys|interests|hobbies|\u559c\u597d|\u559c\u6b22|\u7231\u597d)"
    r"[*_\"' \t]*(?:[:=\uff1a(\[]+[*_ \t]*)(?:\n\s*(?=[-*\u2022]))?([^\n.)\]|]*(?:\n\s*[-*\u2022+] ?[^\n]+)*)",
    re.IGNORECASE,
)
LIKE_END = re.compile(r"[,;+\n\u2022\u3001\uff0c\uff1b](?:\s*and\s)?")


def name_of(text: str) -> str:
    """Return a name on one line, at most MAX_NAME characters; raise BadInput for one that cannot be shown."""
    text = text[:READ]
    if not is_clean("".join(char for char in text if not char.isspace())):
        raise BadInput(
            "The card's name holds characters that cannot be shown; rename the character and export it again."
        )
    seen = "".join(char for char in text if char == "\u200d" or unicodedata.category(char) != "Cf")
    name = " ".join(seen.split())[:MAX_NAME].strip()
    if not any(unicodedata.category(char)[0] in "LNPS" and char not in FILLERS for char in name):
        raise BadInput("The card has no name; name the character and export it again.")
    if not is_safe(name):
        raise BadInput("I cannot speak under the name on this card; rename the character and export it again.")
    return name


def is_clean(text: str) -> bool:
    """Tell whether a text is free of control characters, halves of characters and private ones."""
    return all(char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs", "Co"} for char in text)


def filled(text: str, name: str) -> str:
    """Return the beginning of a field with the names in place of its macros, and without hidden characters."""
    seen = "".join(
        char for char in text[:READ] if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs", "Co"}
    )
    if WRAPPER_END.search(seen):  # <char>...</char> is a frame around a field here, not the name
        seen = WRAPPER.sub("", seen)
    named = USER.sub("you", OWNED.sub("your", CHAR.sub(lambda _: name, seen)))
    return MACRO.sub("", MACRO.sub("", named))  # twice: one may stand in another


def greeting_of(text: str, name: str) -> str:
    """Return what a card's first message says: its leading sentences, without actions; empty when none fits."""
    plain = MARKUP.sub(" ", filled(text, name))
    plain = ACTION.sub(" ", STRESSED.sub(r"\1", STRONG.sub(r"\1\2", plain)))
    speech = [" ".join(filter(None, groups)) for groups in SPEECH.findall(plain)]
    plain = " ".join(" ".join(speech or [plain]).split())
    return sentences(plain.removeprefix(f"{name}:").strip())


def summary_of(text: str, name: str) -> str:
    """Return the leading sentences of a card's description; empty when it is a list of facts."""
    plain = ACTION.sub(" ", STRONG.sub(r"\1\2", MARKUP.sub(" ", FACT_LINE.sub("", filled(text, name)))))
    return sentences(" ".join(plain.split()))


def sentences(text: str) -> str:
    """Return as many leading sentences as fit into MAX_LINE characters and may be said."""
    fitting = ""
    for end in [*(match.start() for match in SENTENCE_END.finditer(text)), len(text)]:
        part = text[:end].strip()
        if len(part) > MAX_LINE or not may_be_told(part):
            break
        fitting = part
    return fitting if any(char.isalnum() for char in fitting) else ""


def likes_of(text: str, name: str) -> tuple[str, ...]:
    """Return the items of a list of likes in a card's description, if there is one."""
    found = LIKES.search(filled(text, name))
    items = (" ".join(item.strip(AROUND).split()) for item in LIKE_END.split(found[1] if found else ""))
    listed = takewhile(lambda item: not re.search("[:=(\uff1a]", item), items)  # there the next list begins
    good = (item for item in listed if item and len(item) <= MAX_LIKE and may_be_told(item))
    return tuple(dict.fromkeys(good))[:MAX_LIKES]


def may_be_told(text: str) -> bool:
    """Tell whether a text of somebody else's may be shown and said by a grown-up character."""
    return is_safe(text) and not insults_looks(text)
