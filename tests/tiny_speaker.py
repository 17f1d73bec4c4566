"""A tiny speaker and tokenizer with random weights, for tests of the speaker's parts."""

from pathlib import Path

import torch
from tokenizers import Tokenizer

from bot.domain import Person, Scene, Turn
from models.data.pairs import Pair
from models.speaker import Speaker, SpeakerConfig
from models.train.tokenizer import train_tokenizer

SCENE = Scene("a woman in a red coat walks a small dog", (Person("woman", "adult", "happy", "center"),))
LINES = (
    "a woman in a red coat walks a small dog", "This red coat is mine, and so is the dog!", "Arr, 12 dogs and a coat."
)  # fmt: skip
PAIRS = (
    Pair(SCENE, "pirate", (), (), "Arr, this red coat be mine."),
    Pair(SCENE, "self", ("shy",), (Turn("persona", "Hi, small dog."), Turn("user", "who dis")), "Just me and the dog."),
)


def tiny_tokenizer() -> Tokenizer:
    """Return a tokenizer of bytes and a few merges."""
    return train_tokenizer((f" {line}" for line in LINES * 3), size=420)


def tiny_speaker(tokenizer: Tokenizer) -> Speaker:
    """Return an untrained speaker with two blocks, in eval mode; its logits are spread enough to sample from."""
    torch.manual_seed(0)
    speaker = Speaker(SpeakerConfig(tokenizer.get_vocab_size(), width=32, layers=2, heads=2, hidden=48))
    with torch.no_grad():
        for weight in speaker.parameters():
            if weight.ndim == 2:
                weight.mul_(10)
    return speaker.eval()


def save_tokenizer(folder: Path) -> Path:
    """Write the tiny tokenizer into ``folder``."""
    path = folder / "speaker_tokenizer.json"
    tiny_tokenizer().save(str(path))
    return path
