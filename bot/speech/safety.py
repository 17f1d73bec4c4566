"""What must not be said: blocked words, links, mentions and code, whoever typed them first.

Three rules, each a word list or patterns after undoing disguises: what may be posted at all, what a child or
baby may say, and insults about somebody's looks.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.domain import Person

RESOURCES = Path(__file__).parent.parent / "resources"
BLOCKLIST, GROWN_UP = "blocklist.txt", "grown_up.txt"
LOOK_ALIKES = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i",
     "|": "i", "+": "t", "\u20ac": "e", "\u00a3": "l"}
)  # fmt: skip
# Letters of other alphabets that look Latin.
HOMOGLYPHS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u0501\u051b\u043a\u043c\u043d\u0442\u0432\u03bf\u03b1\u03b5\u03b9\u03ba\u03bd\u03c1\u03c4\u03c5\u0131\u0261",
    "aeopcyxisjdqkmhtboaeikvptuig",
)
HIDDEN = frozenset({"Cf", "Cc", "Mn", "Me", "Cs", "Co"})  # Unicode categories
WORDLIKE, STRETCHED = re.compile(r"\S*[a-z]\S*"), re.compile(r"(.)\1{2,}")
SPELT_OUT = re.compile(r"\b(?:[a-z][ ._*/|+-]{1,2}){2,}[a-z]\b")
MASKED = re.compile(r"\b[a-z]+[*#]+[a-z]+\b|\b[bcdfnsw][a-z]?\*{2,}|[@#$%&*!]*[@#$%&][@#$%&*!]{3,}")  # f**k, @#$%!
MASKS = frozenset("*#@$%&")  # one of these is in all that MASKED matches
ENDINGS = "com|net|org|gg|io|ru|xyz|me|ly|co|tv|link|info|app|dev|site"
MARKUP = re.compile(
    r"h(?:tt|xx)ps?\b|:\s*//|\bwww\b|\b[\w-]+\s?\.\s?(?:com|gg)\b"
    rf"|\b[\w-]+(?:\.|\[\.\]|\s?\(dot\)\s?|\sdot\s)(?:{ENDINGS})\b"
    r"|@\s?(?:\w|\()|<[@#:/at]|`|\|\||\[[^\]]*\]\s?\(|#\d{4}\b|\bdiscord\s?(?:app)?[ ./]+(?:gg|invite)\b"
    r"|^\s*(?:#{1,3}|>{1,3}|-#)\s|\b(?:\d{1,3}\.){3}\d{1,3}\b|(?:\d[ .()-]?){7,}|[{}]|<\|",
    re.IGNORECASE,
)
UGLY = (
    "ugly|hideous|fat|chubby|flabby|obese|skinny|scrawny|bony|wrinkl(?:y|ed)|pimply|spotty|greasy|smelly|repulsive"
    "|revolting|disgusting|gross|unattractive|homely|deformed|disfigured|toothless|bucktoothed|bald|balding|overweight"
    "|potbellied|pudgy|saggy|warty|unwashed|misshapen|plain-looking|freakish|crooked"
)
BODY = (
    "face|nose|teeth|ears?|eyes|chin|chins|belly|gut|thighs|legs|skin|hair|hairline|forehead|body|figure|head|lips"
    "|smile|mouth|looks|eyebrows|acne|weight|arms|butt|bottom|cheeks|neck"
)
BEASTS = (
    "pig|cow|whale|troll|ogre|hag|toad|gorilla|ape|monkey|baboon|goblin|gargoyle|corpse|scarecrow|rat|walrus"
    "|dog's dinner|car crash"
)
WHO = "(?:man|woman|boy|girl|guy|lady|person|kid|child|baby)"
WHOM, WHOSE = f"(?:you|he|she|they|(?:that|this|the) {WHO})", f"(?:your|his|her|their|(?:that|this|the) {WHO}'s)"
VERY = "(?: (?:so|very|really|just|too|a|an|the|pretty|kinda|quite|such|rather|truly|most|one|absolutely|totally)){0,3}"
LOOKS = re.compile(
    rf"\b{WHOM}(?:'re|'s| (?:are|is|look|looks|seem|seems|were|was)){VERY} (?:{UGLY})\b"
    rf"|\b{WHOSE}(?: [a-z']+)? (?:{UGLY}|huge|enormous|giant|massive|awful|weird) (?:{BODY})\b"
    rf"|\b{WHOSE} (?:{BODY}) (?:is|are|looks?){VERY} (?:{UGLY}|huge|awful|weird|funny-looking|a crime)\b"
    rf"|\b(?:ugliest|fattest|dirtiest|hairiest) (?:{WHO}|{BODY})\b"
    rf"|\b{WHOM} looks? (?:just )?like an? (?:[a-z]+ )?(?:{BEASTS})\b"
    r"|\b(?:fugly|fatso|fatty|landwhale|butterface|horse-?face|pig-?face|pizza-?face|four-?eyes"
    r"|metal-?mouth|thunder thighs|double chins?|beer belly|muffin top|man boobs|only a mother could love)\b"
)


def unmask(text: str) -> str:
    """Return a text in lower case without what hides words: zero-width characters, accents, foreign look-alikes."""
    if _is_open(text):
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.lower())
    table = {ord(char): " " if char.isspace() else None for char in set(plain) if char.isspace() or not _is_seen(char)}
    return plain.translate(table).translate(HOMOGLYPHS)


def _is_open(text: str) -> bool:
    """Tell whether a text is of plain characters that hide nothing, as nearly all are: a short cut."""
    return text.isascii() and text.isprintable()


def _is_seen(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in HIDDEN


def is_blocked(text: str) -> bool:
    """Tell whether a text holds a blocked word, also masked, stretched, spelt out or in look-alike characters."""
    masked = not MASKS.isdisjoint(text) and MASKED.search(text.lower()) is not None
    return masked or _holds(unmask(text), BLOCKLIST)


def has_markup(text: str) -> bool:
    """Tell whether a text holds a link, a mention, an emoji code, code, hidden text or a number to call."""
    return MARKUP.search(text) is not None or (not _is_open(text) and MARKUP.search(unmask(text)) is not None)


def is_safe(text: str) -> bool:
    """Tell whether a text may be posted."""
    return not has_markup(text) and not is_blocked(text)


def is_wholesome(text: str) -> bool:
    """Tell whether a child or baby may say a text: safe, and no drink, romance, weapons or death."""
    return is_safe(text) and not _holds(unmask(text), GROWN_UP)


def may_be_said(text: str, speaker: Person) -> bool:
    """Tell whether a text is safe, kind about looks and, from a child or baby, wholesome."""
    young = speaker.who == "baby" or speaker.age in {"baby", "child"}
    return (is_wholesome if young else is_safe)(text) and not insults_looks(text)


def insults_looks(text: str) -> bool:
    """Tell whether a text is rude about how somebody looks; speakers may laugh at themselves (``my big nose``)."""
    return LOOKS.search(re.sub(r"[\u2018\u2019]", "'", unmask(text))) is not None


def _holds(plain: str, name: str) -> bool:
    """Tell whether a text in lower case holds a word of a list, through its disguises."""
    listed = _read(name)
    spelt = (re.sub(r"[^a-z]", "", run) for run in SPELT_OUT.findall(plain))
    return any(map(listed.has, {plain, *_undisguised(plain)})) or any(map(listed.stems.search, spelt))


def _undisguised(text: str) -> set[str]:
    """Undo look-alikes inside words and letters repeated three times or more (to one, and to two)."""
    found = {text}
    if not LOOK_ALIKES.keys().isdisjoint(map(ord, text)):
        found.add(WORDLIKE.sub(lambda word: word[0].translate(LOOK_ALIKES), text))
    stretched = {one for one in found if STRETCHED.search(one)}
    return (found - stretched) | {STRETCHED.sub(keep, one) for one in stretched for keep in (r"\1", r"\1\1")}


@dataclass(frozen=True, slots=True)
class WordList:
    """A list of words that must not be said."""

    words: frozenset[str]
    inside: tuple[str, ...]
    """Phrases and beginnings of words, to be looked for in a line of words with one space around each."""
    stems: re.Pattern[str]
    """Matches anywhere inside a word spelt out letter by letter."""

    def has(self, text: str) -> bool:
        """Tell whether a text in lower case holds a word, the beginning of one or a phrase of the list."""
        said = re.findall(r"[a-z]+", text)
        line = f" {' '.join(said)} "
        return not self.words.isdisjoint(said) or any(one in line for one in self.inside)


@lru_cache(maxsize=2)
def _read(name: str) -> WordList:
    lines = (line.strip() for line in (RESOURCES / name).read_text(encoding="utf-8").splitlines())
    listed = [line for line in lines if line and not line.startswith("#")]
    words = frozenset(word for word in listed if " " not in word and not word.endswith("*"))
    others = [word for word in listed if word not in words]
    inside = tuple(f" {word.rstrip('*')}{'' if word.endswith('*') else ' '}" for word in others)
    stems = re.compile("|".join(re.escape(word.rstrip("*")) for word in listed if len(word) > 2))
    return WordList(words, inside, stems)
