"""Two judges that learn from authored training text: whose voice is this, is this an answer to that question.

Both are small linear models with known errors, so every share they give is printed beside the same share of authored
held-out text, which they have not seen either.

**VoiceJudge** names one of the 24 voices; right for about four authored held-out openings out of five.

**QuestionJudge** reads the kind of the question (the kinds of intents.toml, from its example messages) and, apart from
that, of the answer (from authored and framed answers), and adds the words they share. It is a WEAK judge: imaginative
answers carry few marks of the question. Its threshold lets PASSED of the authored training answers through, which costs
false alarms: about half of the answers to *another* question pass too. So 0.9 is what authored answers get, one half is
what random ones get, and 0.8 means that roughly four answers in five are on the question. Only questions of a clear
kind are judged; ``corrected`` undoes both errors. Framed answers, which it was taught, pass more easily than others.
"""

from __future__ import annotations

import random
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from threadpoolctl import threadpool_limits

from bot.speech.grammar import CLOSED
from bot.speech.intents import OTHER, normalise
from bot.speech.lexicon import singular
from export.tongue_text import bag

CLEAR = 0.4  # probability of the likeliest kind from which a question counts as clear
PASSED = 0.9
FOLDS = 2
GUESS = 0.02  # share of the model's own reading where the kind of a question is given
MOST_SHARED = 2
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\?|!|[0-9]+")
TOKENS, PLAIN_TOKENS = r"[a-z']+|[!?.,:;]", r"[a-z']+|[?!]"
SLOT = re.compile(r"\{\w+\}|[\[\]|]")
LITTLE = bag("a an the of to in on and i it is be my me that this for with so as at but we our")
NUMBERS = bag(
    """one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty
    ninety hundred thousand half dozen twice once"""
)
OPENERS = {
    "#yes": bag("yes aye yep yeah yup sure certainly absolutely indeed affirmative verily always course"),
    "#no": bag("no nay nope never not naw nah negative none hardly"),
}
MEANT = {
    "#number": NUMBERS, "#he": frozenset({"he", "she", "him", "her", "his"}), "#why": frozenset({"because", "since"}),
    "#you": frozenset({"you", "ye", "thee", "your", "thy", "yer", "thou"}),
}  # fmt: skip
ASKING = bag("what your how why where when did does have was will there here with just like get got who")

Asked = tuple[str, str, str]  # a question, its answer and the voice that gave it


class VoiceJudge:
    """Names the voice of a reply by its words, word pairs and runs of characters."""

    def __init__(self, replies: Sequence[str], voices: Sequence[str]) -> None:
        """Learn from authored replies and their voices."""
        words = TfidfVectorizer(
            ngram_range=(1, 2), min_df=2, max_features=40_000, sublinear_tf=True, token_pattern=TOKENS
        )
        runs = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), min_df=2, max_features=40_000, sublinear_tf=True, lowercase=False
        )
        self._features = FeatureUnion([("words", words), ("runs", runs)])
        self._model = _fitted(self._features.fit_transform(replies).astype(np.float32), voices, rounds=25)

    def accuracy(self, replies: Sequence[str], voices: Sequence[str]) -> float:
        """Return the share of replies whose voice is named rightly, the mean over voices (each counts the same)."""
        right = self._model.predict(self._features.transform(replies).astype(np.float32)) == np.array(voices)
        return float(np.mean([right[np.array(voices) == voice].mean() for voice in sorted(set(voices))]))


class QuestionJudge:
    """Tells whether an answer is on its question; see the module's words on how far to trust it."""

    def __init__(
        self, messages: Mapping[str, Sequence[str]], lines: Mapping[str, Sequence[str]], answered: Sequence[Asked]
    ) -> None:
        """Learn from example ``messages`` of each kind, framed ``lines`` of each kind and authored answers.

        The threshold is set on authored answers that the model of answers has not seen (cross-fitting).
        """
        self.kinds = sorted(messages)
        labels = [kind for kind in self.kinds for _ in messages[kind]]
        texts = [normalise(text) for kind in self.kinds for text in messages[kind]]
        self._questions = _question_features().fit([*texts, *(normalise(question) for question, _, _ in answered)])
        self._kind_of_question = _fitted(self._questions.transform(texts), labels, strength=20)
        framed = [(SLOT.sub(" ", line), kind) for kind in self.kinds for line in lines.get(kind, ())]
        read = self._read([question for question, _, _ in answered])
        clear = [(asked, row) for asked, row in zip(answered, read, strict=True) if self._clear(row)]
        taught = [(asked[1], self.kinds[int(row.argmax())]) for asked, row in clear]
        self._answers = TfidfVectorizer(analyzer=cues, sublinear_tf=True, min_df=min(2, len(framed)))
        self._answers.fit([text for text, _ in (*framed, *taught)])
        asked = [one for one, _ in clear]
        seen = np.zeros((len(asked), len(self.kinds)))  # kinds of answers by models that did not learn from them
        for fold in range(FOLDS):
            self._learn_answers([*framed, *(one for i, one in enumerate(taught) if i % FOLDS != fold)])
            rows = np.arange(fold, len(asked), FOLDS)
            if len(rows):
                seen[rows] = self._heard([asked[i][1] for i in rows])
        self._prior = seen.mean(0) + 1e-3
        wrong = mismatched(asked, [kind for _, kind in taught], seed=0)
        rows = np.array([row for _, row in clear])
        matrix = np.concatenate(
            [
                self._features(rows, seen, asked),
                self._features(
                    rows, seen[wrong], [(q, asked[j][1], v) for (q, _, v), j in zip(asked, wrong, strict=True)]
                ),
            ]
        )
        self._match = LogisticRegression().fit(matrix, [1] * len(asked) + [0] * len(asked))
        self._least = float(np.quantile(self._match.decision_function(matrix[: len(asked)]), 1 - PASSED))
        self._learn_answers([*framed, *taught])

    def kind(self, question: str) -> str:
        """Return the kind of a question, empty when it is not clear or of no kind that answers could be told by."""
        return self._clear(self._read([question])[0])

    def _clear(self, row: np.ndarray) -> str:
        kind = self.kinds[int(row.argmax())]
        return kind if row.max() >= CLEAR and kind != OTHER else ""

    def passes(self, asked: Sequence[Asked], kinds: Sequence[str] | None = None) -> list[bool]:
        """Tell of each answer whether it is on its question; ``kinds`` are those of the questions where known."""
        if not asked:
            return []
        rows = self._read([question for question, _, _ in asked])
        for row, kind in zip(rows, kinds or [""] * len(asked), strict=True):
            if kind in self.kinds:
                row *= GUESS
                row[self.kinds.index(kind)] += 1 - GUESS
        features = self._features(rows, self._heard([answer for _, answer, _ in asked]), asked)
        return [bool(score >= self._least) for score in self._match.decision_function(features)]

    def _learn_answers(self, told: Sequence[tuple[str, str]]) -> None:
        matrix = self._answers.transform([text for text, _ in told])
        self._kind_of_answer = _fitted(matrix, [kind for _, kind in told], rounds=30)

    def _read(self, questions: Sequence[str]) -> np.ndarray:
        """Return the probability of every kind for each question (N, kinds)."""
        if not questions:
            return np.zeros((0, len(self.kinds)))
        return self._spread(self._kind_of_question, self._questions.transform([normalise(one) for one in questions]))

    def _heard(self, answers: Sequence[str]) -> np.ndarray:
        """Return the probability of every kind for each answer (N, kinds)."""
        return self._spread(self._kind_of_answer, self._answers.transform(answers))

    def _spread(self, model: LogisticRegression, matrix: object) -> np.ndarray:
        out = np.zeros((matrix.shape[0], len(self.kinds)))  # type: ignore[attr-defined]
        out[:, [self.kinds.index(kind) for kind in model.classes_]] = model.predict_proba(matrix)
        return out

    def _features(self, read: np.ndarray, heard: np.ndarray, asked: Sequence[Asked]) -> np.ndarray:
        """Return log sum over kinds of P(kind|question) P(kind|answer) / P(kind), shared words, the best kind's."""
        together = np.log((read * heard / self._prior).sum(1) + 1e-3)
        best = read.argmax(1)
        likeliest = np.log(heard[np.arange(len(heard)), best] / self._prior[best] + 1e-2)
        shared = [min(len(_topics(question) & _topics(answer)), MOST_SHARED) for question, answer, _ in asked]
        return np.stack([together, likeliest, np.array(shared, float)], axis=1)


def corrected(share: float, hits: float, false_alarms: float) -> float:
    """Return the share behind a judged one, 0..1, by the judge's two rates (Rogan and Gladen 1978)."""
    return float(np.clip((share - false_alarms) / max(hits - false_alarms, 1e-9), 0, 1))


def mismatched(asked: Sequence[Asked], kinds: Sequence[str], seed: int) -> list[int]:
    """Return for each question the number of an answer to another kind of question, if possible the same voice's."""
    rng = random.Random(seed)
    by_voice: dict[str, list[int]] = defaultdict(list)
    for i, (_, _, voice) in enumerate(asked):
        by_voice[voice].append(i)
    wrong = []
    for i, (_, _, voice) in enumerate(asked):
        same = [j for j in by_voice[voice] if kinds[j] != kinds[i]]
        wrong.append(rng.choice(same or [j for j in range(len(asked)) if kinds[j] != kinds[i]] or [i]))
    return wrong


def cues(answer: str) -> list[str]:
    """Return the words of an answer, how it begins and what it has of numbers, names, yes and no."""
    words = WORD.findall(answer.lower().replace("\u2019", "'"))
    found = {word for word in words if word not in LITTLE} | {f"^{' '.join(words[:n])}" for n in (1, 2)}
    found |= {name for name, some in OPENERS.items() if some & set(words[:3])}
    found |= {name for name, some in MEANT.items() if some & set(words)}
    tests = {
        "#number": re.search(r"\d", answer),
        "#name": re.search(r"(?<=[a-z,] )[A-Z][a-z]+", answer),
        "#one": re.match(r"[A-Z][a-z]+[,!.]", answer),
        "#ask": words[-1:] == ["?"],
    }
    return sorted(found | {name for name, test in tests.items() if test})


def _topics(text: str) -> set[str]:
    words = (singular(word) for word in WORD.findall(text.lower()) if len(word) > 2)
    return {word for word in words if word not in CLOSED | ASKING}


def _question_features() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=PLAIN_TOKENS)
    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True)
    return FeatureUnion([("words", words), ("runs", runs)])


def _fitted(matrix: object, labels: Sequence[str], *, strength: float = 10, rounds: int = 40) -> LogisticRegression:
    """Fit a logistic regression; the last digits of convergence do not matter here."""
    with warnings.catch_warnings(), threadpool_limits(1):  # small steps: threads would wait for each other
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=rounds, class_weight="balanced").fit(matrix, labels)
