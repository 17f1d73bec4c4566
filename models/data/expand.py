"""Expansion: frames x scenes x voices x moods, an endless stream of grounded (prompt, reply) pairs.

What teaches a small model to ground its words is regularity: the same facts stand in the scene and in
the reply, millions of times, in every voice. Scenes keep their real shape (several people, any of them
speaking); the speaker's expression is set to the mood of the lines.

    python -m models.data.expand --count 20      prints pairs made from the repository's own scenes
"""

from __future__ import annotations

import argparse
import dataclasses
import random
from collections.abc import Collection, Iterator, Sequence

from bot.domain import TRAITS, VOICES, Expression, Person, Scene, Turn
from bot.speech.dialogue_acts import answered_as
from bot.speech.facts import read_facts
from bot.speech.frames import Frames, Line
from bot.speech.intents import intent_messages
from bot.vision.caption_people import infer_people
from models.data.pairs import Pair

PAIRS_A_SCENE = 8
MAX_CAPTION_WORDS = 20
OPENING_SHARE = 0.7
TRAIT_SHARE = 0.12
SECOND_ROUND_SHARE = 0.3
MOOD_WEIGHTS: dict[Expression, int] = {
    "happy": 30, "neutral": 22, "sad": 15, "angry": 12, "surprised": 12, "scared": 3, "disgusted": 2
}  # fmt: skip
MOOD_INTENTS = {"why_smile": {"happy"}, "why_sad": {"sad"}, "why_angry": {"angry", "disgusted"}}


def expand(scenes: Sequence[Scene], seed: int, pairs_a_scene: int = PAIRS_A_SCENE) -> Iterator[Pair]:
    """Yield pairs without end, ``pairs_a_scene`` of the same scene in a row, deterministic by seed.

    About 65 % are openings, the rest answers to a user message after an opening; where the facts fill
    no frame of a voice (nothing is read from the scene) that pair is left out.
    """
    rng = random.Random(seed)
    frames, messages = Frames(), intent_messages()
    order = list(range(len(scenes)))
    while True:
        rng.shuffle(order)
        for index in order:
            scene = reshape(scenes[index], rng)
            for _ in range(pairs_a_scene):
                pair = _pair(scene, frames, messages, rng)
                if pair is not None:
                    yield pair


def scene_of(caption: str) -> Scene | None:
    """Return a bare caption as a scene with the people it names, or None when nothing can be read from it."""
    plain = " ".join(caption.lower().replace(" ,", ",").split()).rstrip(" .!")
    scene = Scene(plain, infer_people(plain))
    return scene if 4 <= len(plain.split()) <= MAX_CAPTION_WORDS and read_facts(scene) else None


def reshape(scene: Scene, rng: random.Random) -> Scene:
    """Let anybody near speak, and give the speaker a mood; an unread face stays unread half the time."""
    near = [i for i, person in enumerate(scene.people) if person.where != "far"] or [0]
    turned = scene.speaking(rng.choice(near))
    speaker, *rest = turned.people
    if speaker.who == "nobody":
        return turned
    if speaker.expression == "unclear" and rng.random() < 0.5:
        return turned
    mood = rng.choices(list(MOOD_WEIGHTS), weights=list(MOOD_WEIGHTS.values()))[0]
    others: list[Person] = list(rest)
    rng.shuffle(others)
    return Scene(turned.caption, (dataclasses.replace(speaker, expression=mood), *others))


def _pair(scene: Scene, frames: Frames, messages: dict[str, tuple[str, ...]], rng: random.Random) -> Pair | None:
    voice = rng.choice(VOICES)
    traits: tuple[str, ...] = ()
    if rng.random() < TRAIT_SHARE:
        voice, traits = "self", (rng.choice(TRAITS),)
    opening = frames.draw(scene, voice, traits, rng)
    if opening is None or opening.voice != voice:
        return None
    opening = frames.adorn(opening, scene.people[0], rng)
    if rng.random() < OPENING_SHARE:
        return Pair(scene, voice, traits, (), opening.text, opening.form)
    turns: list[Turn] = [Turn("persona", opening.text)]
    rounds = 2 if rng.random() < SECOND_ROUND_SHARE else 1
    for remaining in range(rounds, 0, -1):
        asked = _ask(scene, voice, traits, frames, messages, rng, {turn.text for turn in turns})
        if asked is None:
            return None
        message, answer = asked
        turns.append(Turn("user", message))
        if remaining == 1:
            return Pair(scene, voice, traits, tuple(turns), answer.text, answer.form)
        turns.append(Turn("persona", answer.text))
    return None


def _ask(
    scene: Scene,
    voice: str,
    traits: tuple[str, ...],
    frames: Frames,
    messages: dict[str, tuple[str, ...]],
    rng: random.Random,
    said: Collection[str],
) -> tuple[str, Line] | None:
    """Return a user message and the voice's framed answer to it, one not said yet."""
    expression = scene.people[0].expression
    intents = [name for name in messages if expression in MOOD_INTENTS.get(name, {expression})]
    intent = rng.choice(intents)
    message = rng.choice(messages[intent])
    answer = frames.draw(scene, voice, traits, rng, answered_as(intent, message))
    if answer is None or answer.voice != voice or answer.text in said:
        return None
    return message, answer


def main() -> None:
    """Print a few pairs made from the written corpus."""
    from models.data.corpus import read_corpus

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for _, pair in zip(
        range(arguments.count), expand([block.scene for block in read_corpus()], arguments.seed), strict=False
    ):
        asked = "".join(f" / {turn.role}: {turn.text}" for turn in pair.turns)
        print(f"{pair.scene.as_text()}\n  {pair.voice} {' '.join(pair.traits)}{asked}\n  -> {pair.reply}")


if __name__ == "__main__":
    main()
