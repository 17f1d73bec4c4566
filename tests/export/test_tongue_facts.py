"""Naming what is in the photo and what is not."""

import random

import pytest

from bot.domain import NOBODY, Person, Scene
from export.tongue_facts import Contradictions, is_grounded, mentions
from models.data.corpus import held_out, read_corpus
from models.data.pairs import Pair

WOMAN, CORGI = Person("woman", "adult", "happy", "center"), Person("dog", "-", "happy", "left")
COAT = Scene("a woman in a red raincoat walks a corgi past a bike", (WOMAN, CORGI))
CAKE = Scene("a birthday cake with candles stands on a table", (NOBODY,))


@pytest.mark.parametrize(
    "reply",
    ["This coat is dry.", "My dog hates rain.", "This puppy hates mud.", "Walkin' all day!", "Red suits me.",
     "I left the bicycle there."],
)  # fmt: skip
def test_other_words_for_what_is_seen_ground_a_reply(reply: str) -> None:
    assert is_grounded(reply, COAT)
    assert not is_grounded(reply, CAKE)


def test_words_that_fit_any_photo_do_not_ground_a_reply() -> None:
    assert not is_grounded("A woman like me can stand in front of a person.", COAT)
    assert not is_grounded("I never said a thing.", COAT)


def test_only_nouns_with_a_determiner_are_mentions() -> None:
    found = mentions("I love this soft red hat. Dogs bark; the tennis ball by my truck is old.")
    assert [(one.noun, one.determiner, one.colours) for one in found] == [
        ("hat", "this", ("red",)), ("tennis ball", "the", ()), ("truck", "my", ())
    ]  # fmt: skip
    assert (found[1].before, found[1].after) == (";", "by")


@pytest.fixture(scope="module")
def finder() -> Contradictions:
    """A finder taught that ``this`` speaks of the photo and a parrot never does."""
    pairs = []
    for noun in ("hat", "coat", "cat", "dog", "truck", "guitar", "cake", "umbrella", "kite", "bench") * 12:
        scene = Scene(f"a man with a {noun} on a beach", (Person("man"),))
        pairs += [Pair(scene, "pirate", (), (), f"Look at this {noun}, mates!")]
        pairs += [Pair(scene, "pirate", (), (), "Tell it to the parrot, says me.")]
    return Contradictions(pairs)


def test_what_is_not_there_contradicts(finder: Contradictions) -> None:
    assert finder.find("Look at this hat, mates!", CAKE, "pirate") == ["hat"]
    assert finder.find("Look at this dog, mates!", CAKE, "pirate") == ["dog"]


def test_what_is_there_by_another_name_does_not(finder: Contradictions) -> None:
    assert finder.find("Look at this coat, mates!", COAT, "pirate") == []
    assert finder.find("Look at this dog, mates!", COAT, "pirate") == []


def test_a_figure_of_speech_does_not_contradict(finder: Contradictions) -> None:
    assert finder.find("Tell it to the parrot, says me.", CAKE, "pirate") == []


def test_another_colour_contradicts(finder: Contradictions) -> None:
    scene = Scene("a man in a yellow hat", (Person("man"),))
    assert finder.find("Me green hat be grand.", scene, "pirate") == ["green hat"]
    assert finder.find("Me yellow hat be grand.", scene, "pirate") == []
    assert finder.find("The trees are green. My hat is old.", scene, "pirate") == []


def test_the_measures_tell_authored_replies_from_shuffled_ones() -> None:
    blocks = read_corpus()
    tests = [block for block in blocks if held_out(block.scene)]
    finder = Contradictions([pair for block in blocks[::2] if not held_out(block.scene) for pair in block.openings])
    rng = random.Random(0)
    told = [(pair, rng.choice(tests).scene) for block in tests for pair in block.openings[::3]]
    told = [(pair, other) for pair, other in told if other != pair.scene]
    assert sum(is_grounded(pair.reply, pair.scene) for pair, _ in told) > 0.94 * len(told)
    assert sum(is_grounded(pair.reply, other) for pair, other in told) < 0.2 * len(told)
    assert sum(bool(finder.find(pair.reply, pair.scene, pair.voice)) for pair, _ in told) < 0.05 * len(told)
    assert sum(bool(finder.find(pair.reply, other, pair.voice)) for pair, other in told) > 0.25 * len(told)
