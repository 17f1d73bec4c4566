"""The sentences of the bot, read from its code, and the upkeep of the translations: ``python -m tests.catalogue``.

New sentences are added to every bot/resources/locales/*.po without a translation, old ones are marked obsolete.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import polib

from bot.locales import FOLDER

BOT = Path(__file__).parent.parent / "bot"
PLACE = {"_": 0, "BadInput": 0, "Busy": 0, "locale_str": 0, "say": 1}  # which argument of a call is the sentence


@cache
def literals() -> dict[str, str]:
    """Return every sentence of the catalogue and the file it stands in first."""
    found: dict[str, str] = {}
    for path in sorted(BOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            sentence = _sentence(node)
            if sentence is not None:
                found.setdefault(sentence, str(path.relative_to(BOT.parent)))
    return found


def _sentence(node: ast.AST) -> str | None:
    """Return the sentence of a call that takes one as a literal."""
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    place = PLACE.get(name)
    if place is None or len(node.args) <= place:
        return None
    argument = node.args[place]
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def update(path: Path, translations: dict[str, str] | None = None) -> tuple[int, int]:
    """Bring a .po file up to date with the code; return how many sentences were added and how many lack words."""
    wanted, catalogue = literals(), polib.pofile(str(path), wrapwidth=110)
    for entry in [entry for entry in catalogue if entry.msgid not in wanted]:
        catalogue.remove(entry)
    known = {entry.msgid: entry for entry in catalogue}
    for sentence, file in wanted.items():
        entry = known.get(sentence)
        if entry is None:
            entry = polib.POEntry(msgid=sentence)
            catalogue.append(entry)
        entry.occurrences = [(file, "")]
        entry.msgstr = entry.msgstr or (translations or {}).get(sentence, "")
    catalogue.sort(key=lambda entry: (entry.occurrences[0][0], list(wanted).index(entry.msgid)))
    catalogue.save(str(path))
    return len(wanted.keys() - known.keys()), len(catalogue.untranslated_entries())


if __name__ == "__main__":
    for po in sorted(FOLDER.glob("*.po")):
        added, missing = update(po)
        print(f"{po.name}: {added} sentences added, {missing} without a translation")
