"""Measure recall: does an authored reply of the corpus fit a photo it was not written for.

    python -m export.recall                                              # the table
    python -m export.recall --photos SCENES.jsonl --sheet 40 --out DIR   # and a blind sheet to mark by eye

A voice's replies only, so the voice is right by construction. Nearest scene by TF-IDF, nearest reply by the dual
encoder (models/recall.py), and the nearest of those whose facts hold; word for word, or ``refilled``: with the new
scene's facts put where a reply names the same facts of its own.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from tokenizers import Tokenizer

from bot.domain import VOICES, Scene
from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.speech.facts import read_facts
from bot.speech.filling import SLOT, fill, fits_wording, unfill
from bot.speech.frames import Frames, kinds_of, moods_of
from bot.speech.ranker import WORD, contradictions, facts_named, inventions
from models.data.corpus import held_out, read_corpus
from models.data.pairs import Pair
from models.data.seen_scenes import CACHE, read_seen_scenes
from models.recall import DualEncoder, RecallConfig, bags, query
from models.train.recall import evaluate, figures, held_out_pool
from models.train.run import BEST, RUNS


@dataclass(frozen=True, slots=True)
class Recallable:
    """An authored opening; ``form`` may have slots for its own scene's facts, ``words`` it takes from there besides."""

    pair: Pair
    form: str
    words: frozenset[str]

    def holds(self, scene: Scene) -> bool:
        """Whether it names something of another scene, nothing that is not there, and suits the one who speaks."""
        own, new = self.pair.scene.people[0], scene.people[0]
        alike = frozenset().union(*kinds_of(own)) & frozenset().union(*kinds_of(new))
        moody = new.expression != "unclear" and own.expression not in moods_of(new.expression)
        bare = not self.words and self.form == self.pair.reply
        if bare or moody or not alike or not self.words <= facts_named(sorted(self.words), scene):
            return False
        if not fits_wording(self.form, read_facts(scene)):
            return False
        words = WORD.findall(self.filled(scene).lower())
        return not contradictions(words, scene) and not inventions(words, scene)

    def filled(self, scene: Scene) -> str:
        """Return the reply with another scene's facts in its slots."""
        return fill(self.form, read_facts(scene), self.pair.voice)


def recallable(pair: Pair, form: str = "") -> Recallable:
    """Return an authored opening ready to be recalled, its own scene's facts made slots unless a ``form`` is given."""
    form = form or unfill(pair.reply, read_facts(pair.scene))
    return Recallable(pair, form, facts_named(WORD.findall(SLOT.sub("", form).lower()), pair.scene))


class Recall:
    """Authored openings, ordered by how near they are to a scene."""

    def __init__(self, pairs: Sequence[Pair], model: DualEncoder, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model.eval(), tokenizer
        self._tfidf = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)).fit([p.scene.as_text() for p in pairs])
        self._voices: dict[str, list[Recallable]] = {voice: [] for voice in VOICES}
        for pair in pairs:
            if not pair.traits:
                self._voices[pair.voice].append(recallable(pair))
        self._scenes, self._replies = {}, {}
        for voice, several in ((voice, several) for voice, several in self._voices.items() if several):
            self._scenes[voice] = self._tfidf.transform([one.pair.scene.as_text() for one in several])
            with torch.no_grad():
                self._replies[voice] = model.encode_replies(bags([one.pair.reply for one in several], tokenizer))

    def by_tfidf(self, scene: Scene, voice: str) -> list[Recallable]:
        """Return a voice's replies, those to the nearest scenes first."""
        scores = (self._scenes[voice] @ self._tfidf.transform([scene.as_text()]).T).toarray()[:, 0]
        return [self._voices[voice][i] for i in np.argsort(-scores)]

    @torch.no_grad()
    def by_encoder(self, scene: Scene, voice: str) -> list[Recallable]:
        """Return a voice's replies, the nearest to scene and voice first."""
        asked = self._model.encode_scenes(bags([query(scene, voice)], self._tokenizer))
        return [self._voices[voice][i] for i in (self._replies[voice] @ asked[0]).argsort(descending=True).tolist()]

    def best(self, scene: Scene, voice: str) -> Recallable | None:
        """Return the nearest by the encoder whose facts hold, None when there is none."""
        return next((one for one in self.by_encoder(scene, voice) if one.holds(scene)), None)


def lexical(written: Sequence[Pair], pool: Sequence[Pair]) -> dict[str, float]:
    """Return the recall of TF-IDF between the words of scene and reply, which knows no voices."""
    tfidf = TfidfVectorizer(sublinear_tf=True)
    tfidf.fit([text for pair in written for text in (pair.scene.as_text(), pair.reply)])
    scenes, replies = ([pair.scene.as_text() for pair in pool], [pair.reply for pair in pool])
    return figures(torch.from_numpy((tfidf.transform(scenes) @ tfidf.transform(replies).T).toarray()), pool)


def table(recall: Recall, scenes: Sequence[Scene]) -> str:
    """Return the share of scenes, voices in rotation, for which each way brings a reply whose facts hold."""
    counts: Counter[str] = Counter()
    for i, scene in enumerate(scenes):
        voice = VOICES[i % len(VOICES)]
        for name, way in (("TF-IDF", recall.by_tfidf), ("dual encoder", recall.by_encoder)):
            first = way(scene, voice)[0]
            counts[f"{name}, word for word"] += recallable(first.pair, first.pair.reply).holds(scene)
            counts[f"{name}, refilled"] += first.holds(scene)
        counts["dual encoder among those that hold"] += recall.best(scene, voice) is not None
    return "\n".join(f"  {name}: {count / len(scenes):.3f}" for name, count in counts.items())


def write_sheet(recall: Recall, scenes: Sequence[Scene], count: int, out: Path) -> None:
    """Write ``count`` recalled lines and as many framed ones about the same scenes, shuffled, and apart the key."""
    frames, rng = Frames(), random.Random(1)
    lines: list[tuple[str, str]] = []
    for i in rng.sample(range(len(scenes)), len(scenes)):
        scene, voice = scenes[i], VOICES[i % len(VOICES)]
        one, framed = recall.best(scene, voice), frames.draw(scene, voice, (), rng)
        if one is not None and framed is not None and len(lines) < 2 * count:
            about = f"{scene.as_text()}\t{voice}"
            lines += [("recalled", f"{about}\t{one.filled(scene)}"), ("framed", f"{about}\t{framed.text}")]
    rng.shuffle(lines)
    out.mkdir(parents=True, exist_ok=True)
    for column, name in enumerate(("recall_key.tsv", "recall_sheet.tsv")):
        rows = "".join(f"{n}\t{line[column]}\n" for n, line in enumerate(lines, 1))
        (out / name).write_text(rows, encoding="utf-8")


def main() -> None:
    """Print the tables, write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m export.recall", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=RUNS / "recall" / BEST)
    parser.add_argument("--photos", type=Path, default=CACHE, help="scenes as models.data.seen_scenes writes them")
    parser.add_argument("--sheet", type=int, default=0, help="pairs of lines to mark")
    parser.add_argument("--out", type=Path, default=RUNS / "recall")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    blocks = read_corpus()
    saved = torch.load(args.checkpoint, map_location="cpu", weights_only=False)
    model = DualEncoder(RecallConfig(**saved["config"]))
    model.load_state_dict(saved["model"])
    tokenizer = Tokenizer.from_file(str(Bundle(SHIPPED_BUNDLE).file("speaker_tokenizer")))
    written = [pair for block in blocks if not held_out(block.scene) for pair in block.openings]
    pool = held_out_pool(blocks)
    print(f"of {len(pool)} held-out replies, TF-IDF: {lexical(written, pool)}")
    print(f"dual encoder: {evaluate(model, pool, tokenizer, torch.device('cpu'))}")
    recall = Recall(written, model, tokenizer)
    photos = read_seen_scenes(args.photos)
    held = [block.scene for block in blocks if held_out(block.scene)]
    for name, scenes in (("held-out written scenes", held), ("scenes seen on photos", photos)):
        print(f"{len(scenes)} {name}, share with a reply whose facts hold\n{table(recall, scenes) if scenes else ''}")
    if args.sheet:
        write_sheet(recall, photos, args.sheet, args.out)


if __name__ == "__main__":
    main()
