"""The trained judges, on small worlds where the right answer is plain."""

import pytest

from export.tongue_judges import QuestionJudge, VoiceJudge, corrected, cues, mismatched

SPOKEN = {
    "pirate": "arr me {} be a fine {} matey",
    "robot": "unit {} reports {} status nominal",
    "queen": "we permit {} and our royal {}",
}
NOUNS = ("coat", "dog", "boat", "cake", "tree", "hat", "ball", "door", "car", "kite")
MESSAGES = {
    "other": ["ok", "lol", "hmm", "banana", "bruh", "really", "the blue one"],
    "name": [f"{a} your name{b}" for a in ("what is", "tell me", "say", "whats") for b in ("", "?", " please")],
    "weather": [f"{a} raining{b}" for a in ("is it", "was it", "will it be", "why is it") for b in ("", "?", " today")],
    "food": [
        f"{a} eat{b}" for a in ("what do you", "when do you", "where do you", "can you") for b in ("", "?", " now")
    ],
}
ANSWERS = {
    "name": "They call me {}, and {} is my name.",
    "weather": "Wet as a {}, the sky drops rain on every {}.",
    "food": "I dine on soup with {} and a warm {} for lunch.",
}


def said(pattern: str, start: int, count: int) -> list[str]:
    return [pattern.format(NOUNS[i % 10], NOUNS[(3 * i + 1) % 10]) for i in range(start, start + count)]


@pytest.fixture(scope="module")
def voices() -> VoiceJudge:
    replies = [(text, voice) for voice, pattern in SPOKEN.items() for text in said(pattern, 0, 8)]
    return VoiceJudge(*zip(*replies, strict=True))


@pytest.fixture(scope="module")
def questions() -> QuestionJudge:
    asked = [(MESSAGES[kind][i], text, "self") for kind in ANSWERS for i, text in enumerate(said(ANSWERS[kind], 0, 12))]
    lines = {kind: [pattern.format("[this|that]", "{thing}")] * 4 for kind, pattern in ANSWERS.items()}
    return QuestionJudge(MESSAGES, lines, asked)


def test_voices_are_told_by_their_words(voices: VoiceJudge) -> None:
    replies = [(text, voice) for voice, pattern in SPOKEN.items() for text in said(pattern, 8, 2)]
    assert voices.accuracy(*zip(*replies, strict=True)) == 1.0


def test_every_voice_counts_the_same(voices: VoiceJudge) -> None:
    right, wrong = said(SPOKEN["pirate"], 0, 9), said(SPOKEN["robot"], 0, 1)
    assert voices.accuracy([*right, *wrong], ["pirate"] * 9 + ["queen"]) == pytest.approx(0.5)


def test_answers_pass_for_their_own_question_only(questions: QuestionJudge) -> None:
    for kind, message in (
        ("name", "what is your name please"),
        ("weather", "is it raining now"),
        ("food", "do you eat"),
    ):
        assert questions.kind(message) == kind
        passed = questions.passes([(message, said(ANSWERS[other], 12, 1)[0], "self") for other in ANSWERS])
        assert dict(zip(ANSWERS, passed, strict=True)) == {other: other == kind for other in ANSWERS}


def test_a_known_kind_outweighs_the_wording(questions: QuestionJudge) -> None:
    asked = [("say it please", said(ANSWERS["food"], 12, 1)[0], "self")]
    assert questions.passes(asked, ["food"]) == [True]
    assert questions.passes(asked, ["weather"]) == [False]
    assert questions.passes([]) == []


def test_an_unclear_question_has_no_kind(questions: QuestionJudge) -> None:
    assert questions.kind("zzz") == ""
    assert questions.kind("lol") == ""


def test_the_judges_errors_are_taken_out() -> None:
    assert corrected(0.9, 0.9, 0.5) == pytest.approx(1.0)
    assert corrected(0.7, 0.9, 0.5) == pytest.approx(0.5)
    assert corrected(0.3, 0.9, 0.5) == 0.0


def test_exchanged_answers_are_of_another_kind_and_the_same_voice() -> None:
    asked = [("q", "a", voice) for voice in ("self", "self", "queen", "queen", "self")]
    kinds = ["name", "food", "name", "food", "name"]
    for seed in range(5):
        wrong = mismatched(asked, kinds, seed)
        assert all(kinds[i] != kinds[j] for i, j in enumerate(wrong))
        assert all(asked[i][2] == asked[j][2] for i, j in enumerate(wrong))


def test_cues_tell_names_numbers_and_yes() -> None:
    assert {"#yes", "#name", "#number", "#ask", "^aye"} <= set(cues("Aye, they call me Rosa, I be forty. And you?"))
    assert not {"#yes", "#name", "#number", "#ask"} & set(cues("rain fell all day"))
