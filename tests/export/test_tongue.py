"""The report on the tongue: what is put together from the measures, and how it is shown."""

import json
from collections.abc import Sequence

import pytest

from bot.domain import VOICES, Person, Reply, Scene, Source, Turn
from export.tongue import (
    JSON_KEYS,
    Figures,
    as_json,
    as_sheet,
    as_table,
    fact_shares,
    judge_answers,
    judge_facts,
    judge_text,
    judge_voices,
    share,
    shuffled,
    spread,
)  # fmt: skip
from export.tongue_judges import Asked
from export.tongue_scenes import Said
from models.data.corpus import Block, held_out
from models.data.pairs import Pair

MAN = Person("man", "adult", "happy", "center")
HATS = [Scene(f"a man in a {colour} hat", (MAN,)) for colour in ("red", "blue", "green", "pink", "black", "white")]


def said(text: str, source: Source = "generated", scene: Scene = HATS[0], voice: str = "self") -> Said:
    return Said(scene, voice, Reply(text, source), 1.0)


def figures() -> Figures:
    bot = dict.fromkeys((*JSON_KEYS, "repeats_opening"), 0.0)
    bot |= {"voice_accuracy": 0.7, "voice_accuracy_authored": 0.8, "grounded": 0.95, "on_question": 0.85}
    return Figures(bot, {}, {"generated": 0.7, "framed": 0.2, "recalled": 0.1, "fallback": 0.0})


class Finder:
    """Finds a contradiction in every reply about another scene than the first."""

    def find(self, reply: str, scene: Scene, voice: str) -> list[str]:
        return [] if scene == HATS[0] else ["hat"]


class Judge:
    """Passes answers that hold their question's kind."""

    def kind(self, question: str) -> str:
        return question.split()[0]

    def passes(self, asked: Sequence[Asked], kinds: Sequence[str] | None = None) -> list[bool]:
        kinds = kinds or [self.kind(question) for question, _, _ in asked]
        return [kind in answer for (_, answer, _), kind in zip(asked, kinds, strict=True)]


class NoCopies:
    def holds(self, text: str, scene: Scene, voice: str) -> bool:
        return text == "copied"


def test_the_json_is_exactly_what_the_issue_names() -> None:
    found = json.loads(json.dumps(as_json(figures())))
    assert list(found) == [
        "perplexity", "distinct1", "distinct2", "distinct3", "copied", "voice_accuracy", "voice_accuracy_authored",
        "grounded", "grounded_shuffled", "contradicted", "on_question", "tokens_per_s", "reply_ms", "reply_ms_batch8",
        "sources",
    ]  # fmt: skip
    assert list(found["sources"]) == ["generated", "framed", "recalled", "fallback"]


def test_goals_that_are_missed_are_marked() -> None:
    assert "| NO |" not in as_table(figures())
    missed = {"copied": 0.2, "voice_accuracy": 0.6, "grounded": 0.8, "contradicted": 0.1, "on_question": 0.7,
              "repeats_opening": 0.01}  # fmt: skip
    for name, value in missed.items():
        one = figures()
        one.bot[name] = value
        (row,) = [line for line in as_table(one).splitlines() if "| NO |" in line]
        assert row.startswith(f"| {name} |")
    one = figures()
    one.sources["generated"] = 0.5
    assert as_table(one).count("| NO |") == 1


def test_the_sheet_holds_the_first_two_replies_of_every_voice() -> None:
    openings = [said(f"{voice} | {i}", voice=voice) for i in range(3) for voice in VOICES]
    rows = [
        line
        for line in as_sheet(openings, {"off": ["a"]}).splitlines()
        if line.startswith("| ") and "fluent" not in line
    ]
    assert len(rows) == 48
    assert {row.count("|") for row in rows} == {9}
    assert rows[0].endswith("| self | generated | self / 0 | | | |")
    assert "/ 2 |" not in "".join(rows)


def test_only_generated_replies_count_as_copies() -> None:
    openings = [said("copied"), said("new words here"), said("copied", "framed"), said("copied", "recalled")]
    found = Figures()
    judge_text(found, openings, [Block(HATS[0], (Pair(HATS[0], "self", (), (), "a b"),), ())], NoCopies())  # type: ignore[arg-type]
    assert found.bot["copied"] == 0.5
    assert found.objections["written before, word for word"] == ["copied"]
    assert found.sources == {"generated": 0.5, "framed": 0.25, "recalled": 0.25, "fallback": 0.0}
    assert found.bot["distinct1"] == pytest.approx(4 / 6)


def test_shuffled_replies_never_meet_their_own_photo() -> None:
    told = [(scene, "self", scene.caption) for scene in HATS]
    again = shuffled(told, seed=1)
    assert len(again) == 18
    assert all(scene.caption != text for scene, _, text in again)
    assert again == shuffled(told, seed=1)


def test_facts_are_shares_of_replies() -> None:
    told = [(HATS[0], "self", "My red hat!"), (HATS[1], "self", "Nothing to say.")]
    assert fact_shares(told, Finder()) == (0.5, 0.5)  # type: ignore[arg-type]


def test_grounding_is_measured_with_the_own_photo_and_with_others() -> None:
    scenes = [Scene(f"a man holds a {thing}", (MAN,)) for thing in ("kite", "guitar", "cake", "dog", "ladder")]
    blocks = []
    for i in range(400):
        thing = scenes[i % 5].caption.split()[-1]
        scene = Scene(f"{scenes[i % 5].caption} on day {i}", (MAN,))
        lines = f"Look at this {thing}!", "Tell it to the parrot."
        blocks.append(Block(scene, tuple(Pair(scene, "self", (), (), line) for line in lines), ()))
    assert any(held_out(block.scene) for block in blocks)
    openings = [said(f"Look at this {scene.caption.split()[-1]}!", scene=scene) for scene in scenes]
    found = Figures()
    judge_facts(found, openings, blocks, seed=1)
    assert (found.bot["grounded"], found.bot["grounded_shuffled"], found.bot["contradicted"]) == (1.0, 0.0, 0.0)
    wrong = [said("Look at this kite!", scene=scene) for scene in scenes]
    judge_facts(found, wrong, blocks, seed=1)
    assert (found.bot["grounded"], found.bot["contradicted"]) == (0.2, 0.8)
    assert len(found.objections["names nothing of the photo"]) == 4
    objected = found.objections["names what is not there"]
    assert len(objected) == 4
    assert all(text.startswith("kite: Look at this kite! (self: a man holds a ") for text in objected)
    assert f"## Names what is not there: 4\n\n- {objected[0]}\n" in as_sheet(wrong, found.objections)


def test_voices_are_judged_by_authored_openings() -> None:
    blocks = []
    for i in range(200):
        scene = Scene(f"photo number {i}", (MAN,))
        pairs = (Pair(scene, "pirate", (), (), f"Arr, me number {i} be here!"),
                 Pair(scene, "robot", (), (), f"Unit {i} reports in."))  # fmt: skip
        blocks.append(Block(scene, pairs, ()))
    found = Figures()
    judge_voices(found, [said("Arr, me boat be here!", voice="pirate"), said("Arr, me too!", voice="robot")], blocks)
    assert found.bot["voice_accuracy_authored"] == 1.0
    assert found.bot["voice_accuracy"] == 0.5


def test_answers_are_judged_and_compared_with_the_opening() -> None:
    turns = (Turn("persona", "I like this red hat a lot."), Turn("user", "name please"))
    clear = [Pair(HATS[0], "self", (), (Turn("user", f"{kind} ?"),), f"the {kind}") for kind in ("name", "food")]
    answers = ["my name", "I like this red hat a lot."]
    found = Figures()
    judge_answers(found, [Said(HATS[0], "self", Reply(a, "framed"), 1.0, turns) for a in answers], clear, Judge())  # type: ignore[arg-type]
    assert (found.bot["on_question"], found.bot["repeats_opening"]) == (0.5, 0.5)
    assert "passes 1.00 of 2 authored answers, 0.00 of them exchanged" in found.yardstick["on_question"]


def test_items_are_spread_over_all() -> None:
    assert spread(list(range(10)), 3) == [0, 4, 9]
    assert spread([1, 2], 5) == [1, 2]
    assert spread([], 5) == []
    assert share(bool, []) == 0.0
