"""Pictures of attention: where the captioner looks at each word, and what the speaker's heads look back at."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from bot.vision.captioner import PLAIN, prepare
from export.bench.eager import captioner_networks
from export.figure_paper import MUTED, Models, photo, sheet, show
from export.speaker_rewrite import recover

SAID = "Ahoy from the galley! I've been<|doing|> all mornin' and still they pay me in scraps."
TOLD = (
    "<|scene|> a gray and white cat lies on a wooden floor | cat, -, neutral, center<|doing|> lying on a wooden floor"
)
PROMPT = f"{TOLD}<|voice:pirate|><|reply|>"
LITTLE = 3  # of the captioner's words that are drawn: at least so many letters
CONCEPTS = 6
LABELLED = ("<|scene|>", "cat", "<|doing|>", "<|voice:pirate|>", "alley", "pay")


@contextmanager
def watched() -> Iterator[list[Tensor]]:
    """Note the weights (B, H, T, S) of every attention that PyTorch computes meanwhile."""
    attend, seen = F.scaled_dot_product_attention, list[Tensor]()

    def noted(query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Tensor:
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        mask = options.get("attn_mask")
        if options.get("is_causal"):
            mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        seen.append((scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1))
        return attend(query, key, value, **options)

    with patch.object(F, "scaled_dot_product_attention", noted):
        yield seen


@torch.no_grad()
def glances(models: Models) -> Figure:
    """Draw where the captioner looks while it chooses each word about the cat, and its likeliest concept words."""
    encoder, network = captioner_networks(models.bundle)
    words: list[str] = models.bundle.model("captioner_decoder").labels["words"]
    how = models.bundle.model("captioner_encoder").normalisation
    image = photo("cat").image
    keys, values, lift = encoder(torch.from_numpy(prepare(image, **how)))
    said = models.scene("cat").caption.split()
    ids = torch.tensor([[PLAIN, *(words.index(word) for word in said)]])
    with watched() as seen:
        network(ids, keys, values)
    places = keys.shape[3]  # cells of the grid, then concept words
    weights = torch.stack([one[0] for one in seen if one.shape[-1] == places]).mean((0, 1)).numpy()  # (words, places)
    cells = network.config.grid
    side = int(cells**0.5)
    chosen = [i for i, word in enumerate(said) if len(word) >= LITTLE and word != "and"]
    figure = sheet(9, 4)
    grid = figure.subplots(2, 4).ravel()
    square = image.resize((how["size"], how["size"]))
    show(grid[0], square, "squashed to 256 x 256")
    for axes, i in zip(grid[1:], chosen, strict=False):
        look = weights[i, :cells].reshape(side, side)
        show(axes, square)
        heat = Image.fromarray((255 * look / look.max()).astype(np.uint8)).resize(square.size, Image.Resampling.BICUBIC)
        axes.imshow(np.asarray(heat), cmap="magma", alpha=0.6)
        axes.set_title(f"{said[i]}  (concepts {weights[i, cells:].sum():.0%})")
    for axes in grid[1 + len(chosen) :]:
        axes.axis("off")
    grid[-1].text(
        0, 0.5, "the caption:\n" + textwrap.fill(" ".join(said), 22), va="center", transform=grid[-1].transAxes
    )
    top = [words[i] for i in lift[0].topk(CONCEPTS).indices]
    figure.supxlabel(f"likeliest concept words of this photo: {', '.join(top)} ...", fontsize=9, color=MUTED)
    return figure


@torch.no_grad()
def heads(models: Models) -> Figure:
    """Draw three of the speaker's heads: a soft one, one for the last token, one for the voice."""
    speaker = recover(models.bundle.model("speaker").path)
    tokenizer = models.engine._speaker._decoder.tokenizer  # type: ignore[union-attr]
    ids = tokenizer.encode(f"{PROMPT} {SAID}", add_special_tokens=False).ids
    names = [tokenizer.decode([i], skip_special_tokens=False).strip() for i in ids]
    count = len(ids)
    mask = torch.ones(count, count, dtype=torch.bool).tril()
    with watched() as seen:
        speaker(torch.tensor([ids]), torch.arange(count)[None], mask[None, None])
    weights = torch.cat(seen)  # (blocks, heads, T, T)
    voice, reply = names.index("<|voice:pirate|>"), names.index("<|reply|>")
    spread = -(weights * weights.clamp(min=1e-9).log()).sum(-1).mean(-1)
    chosen = [
        ("the least choosy head", spread),
        ("looks at the token before", weights.diagonal(-1, 2, 3).mean(-1)),
        ("looks at the voice", weights[:, :, reply:, voice].mean(-1)),
    ]
    shown = [i for i, name in enumerate(names) if name in LABELLED]
    figure = sheet(9.6, 3.9)
    for axes, (title, value) in zip(figure.subplots(1, 3), chosen, strict=True):
        block, head = divmod(int(value.argmax()), weights.shape[1])
        axes.imshow(weights[block, head].numpy() ** 0.5, cmap="Blues", vmin=0, vmax=1)
        axes.set_title(f"{title}\n(block {block + 1}, head {head + 1})")
        axes.set_xticks(shown, [names[i] for i in shown], rotation=90, fontsize=7)
        axes.set_yticks(shown, [names[i] for i in shown], fontsize=7)
        axes.tick_params(length=0)
        axes.axhline(reply - 0.5, color=MUTED, lw=0.6, ls="--")
    return figure
