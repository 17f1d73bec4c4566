"""How good a captioner in training is on the held-out photos, by the search the bot uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bot.vision.captioner import search, to_text
from models.captioner import Captioner, Seen
from models.data.caption_metrics import CiderD, bleu4, cider_d, words_only
from models.data.caption_set import CaptionSet
from models.data.seen_images import SeenImages
from models.train.contact_sheet import contact_sheet


@torch.inference_mode()
def describe(network: Captioner, words: Sequence[str], seen: Seen | None, concepts: Tensor) -> str:
    """Return the best caption of one photo (None: of nothing) and its concept logits (1, C)."""
    keys, values = network.memory(seen, concepts)
    lift = network.lift(concepts)
    past = network.no_past(1)

    def next_words(ids: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nonlocal past
        hidden, past = network.step(torch.from_numpy(ids[:, -1:]), past[:, :, torch.from_numpy(parents)], keys, values)
        following, log_probs = network.likeliest(hidden[:, 0], lift)
        return following.numpy(), log_probs.numpy()

    return to_text([words[i] for i in search(next_words, words)[0].ids[1:-1]])


def judge(captions: Sequence[str], data: CaptionSet) -> dict[str, float]:
    """Return CIDEr-D and BLEU-4 of captions of the first held-out photos."""
    candidates = [words_only(caption) for caption in captions]
    references = data.references[: len(captions)]
    return {"cider_d": float(np.mean(cider_d(candidates, references))), "bleu4": bleu4(candidates, references)}


@torch.inference_mode()
def describe_all(network: Captioner, data: CaptionSet, held: SeenImages, photos: int = 0) -> tuple[list[str], float]:
    """Return captions of held-out photos (0: all) and the concept recall.

    That is the share of the references' concept words among those handed to the decoder.
    """
    network.eval()
    captions, logits = [], []
    for row in range(photos or len(held)):
        seen = held.by(network, [row])
        logits.append(network.concepts(seen))
        captions.append(describe(network, data.vocabulary.words, seen, logits[-1]))
    return captions, recall(torch.cat(logits), data.held_out_targets()[: len(logits)], network.config.top)


def recall(logits: Tensor, wanted: Tensor, top: int) -> float:
    """Return the mean share of the wanted concepts (N, C) of 0 and 1 among the ``top`` likeliest of logits (N, C)."""
    found = wanted.gather(1, logits.topk(top).indices).sum(1) / wanted.sum(1).clamp(min=1)
    return float(found.mean())


def evaluate(network: Captioner, data: CaptionSet, held: SeenImages, *, photos: int = 0) -> dict[str, float]:
    """Return CIDEr-D, BLEU-4 and concept recall on held-out photos (0: all)."""
    captions, found = describe_all(network, data, held, photos)
    return {**judge(captions, data), "concept_recall": found}


def blind(network: Captioner, data: CaptionSet) -> dict[str, float]:
    """Return the figures of the decoder without the photo: it knows only how common every concept is."""
    network.eval()
    said = describe(network, data.vocabulary.words, None, network.prior[None])
    return {f"blind_{name}": value for name, value in judge([said] * len(data.references), data).items()}


def worst_captions(captions: Sequence[str], data: CaptionSet, count: int = 24) -> Image.Image:
    """Return a contact sheet of the held-out photos whose captions score lowest, with a reference each."""
    scorer = CiderD(data.references)
    scores = [scorer.score(words_only(text), refs) for text, refs in zip(captions, data.references, strict=True)]
    order = np.argsort(scores)[:count]
    lines = [f"{captions[i]}\n({' '.join(data.references[i][0])})" for i in order]
    return contact_sheet([data.photo(data.held_files[i]) for i in order], lines)
