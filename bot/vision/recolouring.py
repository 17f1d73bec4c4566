"""Correct the colours a caption gives to clothes, where the pixels below a face know better."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np

from bot.vision import lexicon
from bot.vision.caption_people import Mention, people_in_caption
from bot.vision.clothes import Garment, garments_in_caption
from bot.vision.colours import Colours
from bot.vision.rewording import Draft

# Measured by eye on 65 torsos of validation photos, of which the likeliest colour was right in 60.
SURE = 0.45  # probability from which a colour replaces a contradicted one
SURE_UNSAID = 0.6  # from which it is added where none was said
CONTRADICTED = 0.1  # probability of all that a caption's colours may mean below which they are false
# Colours that captions name rightly in most cases even of people without a face (32 of 52; red in 5 of 16, the
# colour of a second, lower garment in 1 of 10: validation captions, read by eye)
TRUSTED = frozenset({"white", "black", "blue", "dark"})
_SECOND = re.compile(
    rf"\b({'|'.join(lexicon.UPPER_GARMENTS)}) and (?:{'|'.join(lexicon.COLOURS)}) "
    r"(?:shorts|pants|trousers|jeans|skirt|leggings)\b"
)
SPELLING = {"grey": "gray"}  # as most of our captions write it


def recolour(caption: str, mentions: Sequence[Mention], seen: Sequence[tuple[Mention, Colours | None]]) -> str:
    """Return the caption with false colours of garments replaced, or dropped where pixels are not sure.

    ``seen`` holds for each face whose words are known the colours of the garment below it. A colour stays if
    the pixels grant it CONTRADICTED or more; so do those of people who are not all seen, and of things.
    """
    draft = Draft(caption)
    words = [token.text for token in draft.tokens]
    garments = garments_in_caption(words, mentions)
    for number, garment in enumerate(garments):
        likely = _likely(garment, seen)
        if likely is None or any(set(garment.owners) & set(other.owners) for other in garments[:number]):
            continue  # the first garment of a person is judged with all the others
        together = [other for other in garments[number:] if other.owners == garment.owners]
        said = [words[i] for other in together for i in other.colours if words[i] in lexicon.COLOURS]
        best = max(likely, key=lambda word: likely[word])
        if not said:
            _add(draft, garment, best if likely[best] >= SURE_UNSAID else "")
        elif sum(likely[word] for word in _meant(said)) < CONTRADICTED:
            for other in together:
                first = other is garment or not garment.colours
                _replace(draft, other, best if first and likely[best] >= SURE else "")
    return draft.text()


def without_guesses(caption: str, seen: Collection[int]) -> str:
    """Leave out the colours of clothes that a caption mostly guesses wrong and that no pixels can confirm.

    ``seen`` numbers, in the order of mention, those whose garment was looked at.
    """
    caption = _SECOND.sub(r"\1", caption)
    draft = Draft(caption)
    words = [token.text for token in draft.tokens]
    mentions = people_in_caption(caption)
    for garment in garments_in_caption(words, mentions):
        unseen = any(mentions.index(owner) not in seen for owner in garment.owners)
        if unseen and not {words[i] for i in garment.colours} <= TRUSTED:
            _replace(draft, garment, "")
    return draft.text()


def _likely(garment: Garment, seen: Sequence[tuple[Mention, Colours | None]]) -> Colours | None:
    """Return the mean colours of all who wear a garment, None unless each of them is seen."""
    worn = [colours for mention, colours in seen if mention in garment.owners and colours]
    if len(worn) < sum(owner.count for owner in garment.owners) or not all(owner.exact for owner in garment.owners):
        return None
    return {word: float(np.mean([colours[word] for colours in worn])) for word in worn[0]}


def _meant(said: Sequence[str]) -> set[str]:
    """Return what colour words may mean; a shade ("light blue") counts only where it stands alone."""
    plain = [word for word in said if word not in lexicon.SHADES] or said
    return set().union(*(lexicon.COLOURS[word] for word in plain))


def _replace(draft: Draft, garment: Garment, colour: str) -> None:
    """Say another colour, or with "" none: "a man in white" then loses both words."""
    if not garment.colours:
        return
    draft.changes |= dict.fromkeys(garment.colours, "")
    if colour:
        draft.changes[garment.colours[0]] = SPELLING.get(colour, colour)
    elif garment.noun is None:
        verbs = [garment.first - 1, *([garment.first - 2] * (draft.tokens[garment.first - 2].text == "dressed"))]
        draft.changes |= dict.fromkeys(verbs, "")
        return
    if garment.first:
        draft.fit_article(garment.first - 1)


def _add(draft: Draft, garment: Garment, colour: str) -> None:
    """Say the colour of a garment that has none, unless a pattern speaks against one."""
    if not colour or garment.noun is None:
        return
    if lexicon.PATTERNS & {token.text for token in draft.tokens[garment.first : garment.noun]}:
        return
    draft.changes[garment.first] = f"{SPELLING.get(colour, colour)} {draft.tokens[garment.first].text}"
    draft.fit_article(garment.first - 1)
