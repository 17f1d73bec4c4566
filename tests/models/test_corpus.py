import random

import pytest

from bot.domain import TRAITS, VOICES, Scene
from models.data.augment import shuffled_company, swapped
from models.data.corpus import held_out, read_block, read_corpus, read_scene
from models.data.curriculum import essential, shares

LINES = [
    "# a man in a red jacket holds two kites | man, adult, happy, center ; dog, -, -, left ; girl, child, sad, far",
    "self: Red jacket, two kites, no plan.",
    "pirate: Arr, me kites be redder than me REDdest flag? Nay, RED as this jacket!",
    "~shy: Um. My jacket is red because I am.",
    "? why red -> pirate: Red jackets hide jam, matey.",
    "? lol ok -> pirate: Laugh all ye like -> I be off.",
]


def test_a_block_becomes_openings_and_growing_conversations():
    block = read_block(LINES)
    assert [(pair.voice, pair.traits) for pair in block.openings] == [("self", ()), ("pirate", ()), ("self", ("shy",))]
    assert [turn.text for turn in block.answers[1].turns] == [
        block.openings[1].reply, "why red", "Red jackets hide jam, matey.", "lol ok"
    ]  # fmt: skip
    assert block.answers[1].reply == "Laugh all ye like -> I be off."
    assert block.scene.people[2].who == "girl"


def test_essential_pairs_hold_every_reply_once():
    block = read_block(LINES)
    pairs = essential(block)
    assert len(pairs) == 3
    said = [turn.text for pair in pairs for turn in pair.turns if turn.role == "persona"] + [p.reply for p in pairs]
    assert sorted(said) == sorted(pair.reply for pair in block.pairs)


@pytest.mark.parametrize("line", ["ninja: hi there", "~loud: hi there", "just text"])
def test_unknown_voices_are_refused(line: str):
    with pytest.raises(ValueError, match="no voice"):
        read_block([LINES[0], line])


def test_unknown_people_are_refused():
    with pytest.raises(ValueError, match="is not who, age"):
        read_scene("a ghost | ghost, adult, happy, center")


def test_the_whole_corpus_reads():
    blocks = read_corpus()
    pairs = [pair for block in blocks for pair in block.pairs]
    assert len(blocks) > 2000
    assert {pair.voice for pair in pairs} == set(VOICES)
    assert {trait for pair in pairs for trait in pair.traits} == set(TRAITS)
    assert any(len(block.answers) == 8 for block in blocks)
    share = sum(held_out(block.scene) for block in blocks) / len(blocks)
    assert 0.03 < share < 0.07


def test_held_out_goes_by_the_caption_alone():
    scene = read_scene(LINES[0][2:])
    assert held_out(scene) == held_out(Scene(scene.caption.upper() + " ", ()))


def test_swaps_change_scene_and_replies_together():
    block = read_block(LINES)
    for seed in range(20):
        new = swapped(block, random.Random(seed))
        text = " ".join([new.scene.caption, *(pair.reply for pair in new.pairs), new.answers[0].turns[-1].text])
        assert "red jacket" not in text.lower()
        if "red" not in new.scene.caption.split():
            assert " red" not in text.lower().replace("redde", "")
            colour = new.scene.caption.split()[4]
            assert colour in new.openings[0].reply.lower()
            assert colour.upper() in new.openings[1].reply
    assert all(pair.scene == new.scene for pair in new.pairs)


def test_swaps_leave_compound_garments_alone():
    block = read_block(["# a woman in a cowboy hat rides | woman, adult, happy, center", "self: Nice hat, me."])
    assert swapped(block, random.Random(1)) is block


def test_company_is_shuffled_but_the_speaker_stays():
    block = read_block(LINES)
    seen = {shuffled_company(block, random.Random(seed)).scene.people for seed in range(20)}
    assert len(seen) == 2
    assert {people[0].who for people in seen} == {"man"}


def test_shares_keep_expanded_pairs_and_let_authored_grow():
    for progress in (0.0, 0.3, 0.7, 1.0):
        part = shares(progress)
        assert sum(part.values()) == pytest.approx(1)
        assert part["expanded"] >= 0.4
        assert min(part.values()) > 0
    assert shares(1.0)["authored"] > shares(0.2)["authored"]
