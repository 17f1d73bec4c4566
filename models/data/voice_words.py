"""Learn from the corpus which words tell a voice: python -m models.data.voice_words.

Naive Bayes with the words every voice shares as prior; only scenes of the training split are read. Writes
bot/resources/voice_words.json and prints how often the table alone names the voice of held-out replies.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping

from bot.domain import VOICES
from bot.speech.voice_odds import SCALE, TABLE, cues, likeliest
from models.data.corpus import Block, held_out, read_corpus

SMOOTHING = 200  # words of each voice that are taken to be like everybody's
LEAST = 0.2  # nats; fewer tell little
SEEN, OWN, COMMON = 3, 2, 100  # times a word stands anywhere, in its voice to speak for it, anywhere to speak against


def voice_replies(blocks: Iterable[Block]) -> dict[str, list[str]]:
    """Return the replies of each voice, trait replies left out."""
    replies: dict[str, list[str]] = {voice: [] for voice in VOICES}
    for pair in (pair for block in blocks for pair in block.pairs if not pair.traits):
        replies[pair.voice].append(pair.reply)
    return replies


def odds(replies: Mapping[str, Iterable[str]]) -> dict[str, dict[str, int]]:
    """Return for each voice the log-odds of its telling words against all voices, in hundredths of a nat."""
    counts = {voice: Counter(cue for text in texts for cue in cues(text)) for voice, texts in replies.items()}
    everywhere = sum(counts.values(), Counter[str]())
    total = sum(everywhere.values())
    table: dict[str, dict[str, int]] = {}
    for voice, count in counts.items():
        size = sum(count.values()) + SMOOTHING
        found = {
            word: math.log((count[word] + SMOOTHING * often / total) / size / (often / total))
            for word, often in everywhere.items()
            if often >= SEEN
        }
        table[voice] = {
            word: round(SCALE * value)
            for word, value in found.items()
            if (value >= LEAST and count[word] >= OWN) or (value <= -LEAST and everywhere[word] >= COMMON)
        }
    return table


def accuracy(blocks: Iterable[Block]) -> float:
    """Return the share of replies whose voice the stored table names."""
    told = [(likeliest(text, VOICES) == voice) for voice, texts in voice_replies(blocks).items() for text in texts]
    return sum(told) / len(told)


def main() -> None:
    """Write the table."""
    blocks = read_corpus()
    table = odds(voice_replies(block for block in blocks if not held_out(block.scene)))
    TABLE.write_text(json.dumps(table, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    shown = accuracy(block for block in blocks if held_out(block.scene))
    print(f"{TABLE.stat().st_size / 1024:.0f} KiB; names the voice of {shown:.3f} of held-out replies")


if __name__ == "__main__":
    main()
