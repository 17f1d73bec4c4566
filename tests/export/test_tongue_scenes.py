"""Who is asked what: rotation of voices, follow-up messages, and the stopwatch."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bot.domain import NOBODY, VOICES, Person, Persona, Reply, Scene, Turn
from bot.speech.intents import intent_messages
from export.tongue_scenes import (
    OTHER_WORDINGS,
    Said,
    alternating,
    ask_follow_ups,
    ask_openings,
    messages,
    rotation,
    speed,
    undressed,
)  # fmt: skip
from models.data.pairs import Pair

PERSONAS = {voice: Persona(voice, f"The {voice}", voice, greeting="Oi!", catchphrase="So there.") for voice in VOICES}
HAPPY = Scene("a man laughs", (Person("man", "adult", "happy", "center"),))
EMPTY = Scene("an empty road", (NOBODY,))


class Parrot:
    """Says who was asked what, and how often."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls: list[tuple[Scene, Persona, tuple[Turn, ...], int | None]] = []
        self.seconds = seconds

    def __call__(self, scene: Scene, persona: Persona, turns: Sequence[Turn] = (), *, seed: int | None = None) -> Reply:
        self.calls.append((scene, persona, tuple(turns), seed))
        time.sleep(self.seconds)
        return Reply(f"{persona.voice} {seed}", "generated")


@dataclass
class Sampled:
    log_probs: tuple[float, ...] = (-1.0,) * 5


class Sampler:
    """A decoder that writes five tokens a sample in ten milliseconds."""

    def sample(self, prompt: str, *, n: int, temperature: float, seed: int, max_tokens: int) -> list[Sampled]:
        time.sleep(0.01)
        return [Sampled()] * n


def test_every_voice_comes_equally_often_and_meets_both_kinds() -> None:
    written = [Scene(f"written {i}") for i in range(110)]
    pairs = rotation(alternating(written, [Scene(f"seen {i}") for i in range(120)]))
    counts = Counter(voice for _, voice in pairs)
    assert set(counts) == set(VOICES)
    assert len(set(counts.values())) == 1
    assert len(pairs) > 430
    for voice in VOICES:
        kinds = Counter(scene.caption.split()[0] for scene, one in pairs if one == voice)
        assert min(kinds["written"], kinds["seen"]) >= 7
    assert all(len({voice for other, voice in pairs if other is scene}) == 2 for scene, _ in pairs[:40])


def test_a_few_scenes_are_all_answered() -> None:
    assert len(rotation([HAPPY, EMPTY])) == 4


def test_openings_are_undressed_first_samples_by_seed() -> None:
    parrot = Parrot()
    said = ask_openings(parrot, PERSONAS, [(HAPPY, "queen"), (EMPTY, "robot")], seed=5)
    assert [one.reply.text for one in said] == ["queen 5", "robot 6"]
    assert [(call[0], call[2]) for call in parrot.calls] == [(HAPPY, ()), (EMPTY, ())]
    assert all(persona.greeting == persona.catchphrase == "" for _, persona, _, _ in parrot.calls)
    assert undressed(PERSONAS, "queen").name == "The queen"


def test_follow_ups_carry_the_talk_so_far() -> None:
    turns = (Turn("persona", "Har!"), Turn("user", "who won"))
    written = [Pair(HAPPY, "pirate", (), turns, "Me.")]
    opening = Said(HAPPY, "queen", Reply("We laugh.", "generated"), 1.0)
    asked = messages(written, [opening], [], seed=1)
    parrot = Parrot()
    said = ask_follow_ups(parrot, PERSONAS, asked, seed=0)
    assert parrot.calls[0][2] == turns
    assert (said[0].voice, said[0].kind) == ("pirate", "")
    assert len(said) == 1 + sum(map(len, OTHER_WORDINGS.values()))
    assert all(call[2][0].text == "We laugh." and call[2][1].role == "user" for call in parrot.calls[1:])
    assert {one.kind for one in said[1:]} == set(OTHER_WORDINGS)


def test_a_question_is_asked_where_it_makes_sense() -> None:
    sad = Scene("a man sits", (Person("man", "adult", "sad", "center"), Person("dog", "-")))
    openings = [Said(scene, "self", Reply("Hm.", "generated"), 1.0) for scene in (EMPTY, HAPPY, sad)]
    scenes = {one.kind: one.scene for one in messages([], openings, [], seed=3)}
    assert (scenes["why_smile"], scenes["why_sad"], scenes["animal_question"]) == (HAPPY, sad, sad)
    assert EMPTY not in scenes.values()


def test_wordings_that_became_examples_are_not_asked() -> None:
    opening = Said(HAPPY, "self", Reply("Hm.", "generated"), 1.0)
    known = [*OTHER_WORDINGS["joke"]]
    assert "joke" not in {one.kind for one in messages([], [opening], known, seed=1)}
    assert set(OTHER_WORDINGS) == set(intent_messages()) - {"other"}


def test_speed_counts_tokens_and_shares_the_time_of_eight() -> None:
    parrot = Parrot(seconds=0.02)
    pairs = [(HAPPY, voice) for voice in VOICES[:8]]
    found = speed(Sampler(), parrot, PERSONAS, pairs, rounds=2)  # type: ignore[arg-type]
    assert 250 < found.tokens_per_s < 500  # 5 tokens in 10 ms
    assert found.tokens_per_s_of_8 == pytest.approx(8 * found.tokens_per_s, rel=0.5)
    assert len(parrot.calls) == 16
    assert found.reply_ms_of_8 < 0.6 * found.waited_ms_of_8  # at once, not one after another
