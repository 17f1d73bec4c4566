"""Say what storing the speaker in int8 costs, and how fast it writes: python -m export.speaker_loss.

Held-out authored replies are scored through the bot's own decoder, once with the PyTorch checkpoint
and once with the bundle's file; then four samples of a few prompts are timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.speech.decoder import Decoder
from bot.speech.prompt import build_prompt
from export.tongue_text import reply_form
from models.data.corpus import held_out, read_corpus
from models.data.pairs import Pair
from models.speaker import EagerSession, Speaker, SpeakerConfig
from models.train.run import RUNS


def mean_nats(decoder: Decoder, pairs: Sequence[Pair]) -> float:
    """Return nats per token, averaged over replies."""
    prompts = [build_prompt(pair.scene, pair.voice, pair.traits, pair.turns) for pair in pairs]
    forms = [reply_form(pair) for pair in pairs]
    scores = [decoder.score(prompt, [form])[0] for prompt, form in zip(prompts, forms, strict=True)]
    return -float(np.mean(scores))


def milliseconds(decoder: Decoder, pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return the median time of four samples of 36 tokens at most, and of scoring six replies."""
    sampling, scoring = [], []
    for pair in pairs:
        prompt = build_prompt(pair.scene, pair.voice, pair.traits, pair.turns)
        start = time.perf_counter()
        decoder.sample(prompt, n=4, temperature=0.8, seed=1, max_tokens=36)
        middle = time.perf_counter()
        decoder.score(prompt, [pair.reply] * 6)
        sampling.append(1e3 * (middle - start))
        scoring.append(1e3 * (time.perf_counter() - middle))
    return float(np.median(sampling)), float(np.median(scoring))


def main() -> None:
    """Print both losses and the times of the bundle's speaker."""
    parser = argparse.ArgumentParser(prog="python -m export.speaker_loss", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    parser.add_argument("--checkpoint", type=Path, default=RUNS / "speaker" / "best.pt")
    parser.add_argument("--replies", type=int, default=240, help="held-out replies to score")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    bundle = Bundle(args.bundle)
    tokenizer = bundle.file("speaker_tokenizer")
    saved = torch.load(args.checkpoint, map_location="cpu", weights_only=False)
    speaker = Speaker(SpeakerConfig(**saved["config"]))
    speaker.load_state_dict(saved["model"])
    pairs = [pair for block in read_corpus() if held_out(block.scene) for pair in block.pairs]
    chosen = [pairs[i] for i in np.linspace(0, len(pairs) - 1, args.replies).astype(int)]
    full = mean_nats(Decoder(EagerSession(speaker), tokenizer), chosen)
    stored = Decoder(Session(bundle.model("speaker"), provider="cpu", threads=args.threads), tokenizer)
    small = mean_nats(stored, chosen)
    print(f"{len(chosen)} held-out replies: {full:.3f} nats a token in PyTorch, {small:.3f} in the bundle")
    print("four samples {:.0f} ms, scoring six replies {:.0f} ms".format(*milliseconds(stored, chosen[:12])))


if __name__ == "__main__":
    main()
