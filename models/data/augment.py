"""New authored blocks out of written ones: colours and garments swapped in scene and replies together.

The replies stay true to their scene, and the speaker learns to take such words from the scene instead
of remembering them.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

from bot.domain import Scene, Turn
from models.data.corpus import Block
from models.data.pairs import Pair

COLOURS = ("red", "blue", "green", "yellow", "pink", "purple", "brown", "black", "white", "grey")
COLOURED = (
    "jacket|coat|hoodie|sweater|cardigan|blazer|shirt|t-shirt|dress|skirt|shorts|hat|cap|beanie|helmet|scarf|"
    "raincoat|apron|vest|tie|suit|gloves|boots|sneakers|umbrella|car|truck|van|bus|bike|bicycle|scooter|balloon|"
    "balloons|sofa|couch|armchair|chair|mug|cup|backpack|suitcase|boat|kayak|canoe|blanket|towel|ball|kite|"
    "collar|headphones|wetsuit|guitar|tent|sled|door|curtain|curtains|cushion|pillow|bucket|bowl|ribbon|robe|"
    "swimsuit|uniform|jersey"
)
GARMENTS: tuple[tuple[str, ...], ...] = (
    ("jacket", "coat", "hoodie", "sweater", "cardigan", "blazer"),
    ("cap", "hat", "beanie"),
    ("boots", "sneakers", "sandals", "slippers"),
)


def swapped(block: Block, rng: random.Random) -> Block:
    """Return ``block`` with up to two colours or garments of its scene replaced everywhere, if it has any."""
    caption = block.scene.caption
    colours = "|".join(COLOURS)
    choices: list[tuple[str, tuple[str, ...]]]
    choices = [(c, COLOURS) for c in COLOURS if re.search(rf"\b{c} (?:\w+ )?(?:{COLOURED})\b", caption)]
    # Only plain garments: a cowboy hat or a life jacket cannot become a cowboy beanie or a life coat.
    plain = rf"\b(?:an?|{colours})"
    choices += [(g, kind) for kind in GARMENTS for g in kind if re.search(rf"{plain} {g}\b", caption)]
    rng.shuffle(choices)
    text = " ".join([caption, *(pair.reply for pair in block.pairs)]).lower()
    swaps: dict[str, str] = {}
    for old, kind in choices[:2]:
        free = [new for new in kind if new not in swaps.values() and not re.search(rf"\b{new}", text)]
        if free:
            swaps[old] = rng.choice(free)
    return _replaced(block, swaps) if swaps else block


def shuffled_company(block: Block, rng: random.Random) -> Block:
    """Return ``block`` with the people beside the speaking one in another order."""
    first, *rest = block.scene.people
    if len(rest) < 2:
        return block
    rng.shuffle(rest)
    return _with_scene(block, Scene(block.scene.caption, (first, *rest)))


def _replaced(block: Block, swaps: dict[str, str]) -> Block:
    pattern = re.compile(r"\b(" + "|".join(swaps) + r")(?=s?\b)", re.IGNORECASE)

    def new(text: str) -> str:
        return pattern.sub(lambda match: _like(match[0], swaps[match[0].lower()]), text)

    def pair(old: Pair) -> Pair:
        turns = tuple(Turn(turn.role, new(turn.text), turn.author) for turn in old.turns)
        return replace(old, turns=turns, reply=new(old.reply))

    changed = Block(block.scene, tuple(map(pair, block.openings)), tuple(map(pair, block.answers)))
    return _with_scene(changed, Scene(new(block.scene.caption), block.scene.people))


def _with_scene(block: Block, scene: Scene) -> Block:
    openings = tuple(replace(pair, scene=scene) for pair in block.openings)
    return Block(scene, openings, tuple(replace(pair, scene=scene) for pair in block.answers))


def _like(old: str, new: str) -> str:
    """Return ``new`` in the capitals of ``old``."""
    return new.upper() if old.isupper() else new.capitalize() if old[0].isupper() else new
