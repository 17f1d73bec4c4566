"""Train the speaker's tokenizer: byte-level BPE over the corpus, frames, captions and some chat.

    python -m models.train.tokenizer            # writes runs/speaker/speaker_tokenizer.json, seconds

Text is split as GPT-2 does (Radford et al. 2019) with every digit alone; bytes make any text, emoji
included, writable. A word is the same token wherever a space stands before it, see bot/speech/prompt.py.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from bot.speech.prompt import SPECIALS
from models.data.corpus import read_corpus
from models.data.dialogue import read_coco_captions, read_conversations, read_photo_scenes
from models.train.run import DATA, RUNS, need

VOCABULARY = 6000
CHAT_SHARE = 0.25  # of all conversations; the corpus' own words matter more
FRAMES = Path(__file__).parents[2] / "bot" / "resources" / "frames"
NAME = "speaker_tokenizer.json"


def texts(data: Path) -> Iterator[str]:
    """Yield every text the tokenizer is trained on, each with the space that stands before it."""
    for block in read_corpus():
        yield f" {block.scene.as_text()}"
        for pair in block.pairs:
            yield f" {pair.reply}"
            if pair.turns:
                yield f" {pair.turns[-1].text}"
    for path in sorted(FRAMES.rglob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield " " + re.sub(r"\{\w+\}", "", line.partition(": ")[2])
    for scene in read_photo_scenes(need(data / "photos", "photos.csv")):
        yield f" {scene.as_text()}"
    for caption in read_coco_captions(need(data / "text", "the licensed text")):
        yield f" {caption}"
    conversations = read_conversations(data / "text")
    for turns in random.Random(1).sample(conversations, int(CHAT_SHARE * len(conversations))):
        yield from (f" {turn}" for turn in turns)


def train_tokenizer(source: Iterator[str], size: int = VOCABULARY) -> Tokenizer:
    """Return a byte-level BPE of ``size`` tokens, the special ones first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(source, trainer)
    return tokenizer


def load_or_train(folder: Path, data: Path) -> Tokenizer:
    """Return the tokenizer of a training run, trained and saved there the first time."""
    path = folder / NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train_tokenizer(texts(data)).save(str(path), pretty=False)
    return Tokenizer.from_file(str(path))


def main() -> None:
    """Train the tokenizer anew and print how many characters a token of the corpus covers."""
    parser = argparse.ArgumentParser(prog="python -m models.train.tokenizer", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/ and text/")
    parser.add_argument("--out", type=Path, default=RUNS / "speaker", help="folder of the speaker's training run")
    args = parser.parse_args()
    (args.out / NAME).unlink(missing_ok=True)
    tokenizer = load_or_train(args.out, args.data)
    replies = [f" {pair.reply}" for block in read_corpus() for pair in block.pairs]
    tokens = sum(len(encoding.ids) for encoding in tokenizer.encode_batch(replies))
    print(f"{tokenizer.get_vocab_size()} tokens, {sum(map(len, replies)) / tokens:.2f} characters a token in replies,")
    print(f"{tokens / len(replies):.1f} tokens a reply; {(args.out / NAME).stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
