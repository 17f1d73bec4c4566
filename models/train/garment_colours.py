"""Learn to name the colour of a garment from the cells of a torso: ``python -m models.train.garment_colours``.

The labels are the colour words of the written captions, for photos in which the teachers agree on one face
and the caption names one person. "navy" may be blue or black: the loss is the negative log of the summed
probability of all a word may mean. Photos whose caption a first model, trained without them, finds next to
impossible speak of somebody else and are left out (two rounds of 5-fold cross-validation). Since few people
wear green or orange, flat shirts of every colour are painted over real torsos as well. A minute on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from bot.domain import Box
from bot.vision import lexicon
from bot.vision.caption_people import people_in_caption, tokens_of
from bot.vision.clothes import garments_in_caption
from bot.vision.colours import LIGHTNESS, TABLE, shares, to_lab, torso
from models.data.face_boxes import face_boxes
from models.data.photos import PhotoItem, Photos
from models.train.run import DATA

WORDS = lexicon.BASIC_COLOURS
FOUND_CENTRES, FOLDS, ROUNDS = 16, 5, 2
DECAY = 0.001  # weight of the squared weights in the loss
IMPOSSIBLE = 0.1  # probability of all a caption's colours below which the caption is not believed
VAGUE = 0.5  # weight of a colour that a word only may mean
PAINTED = 10  # torsos painted in each colour
# sRGB of what each word stands for
SHADES = {
    "black": ((20, 20, 24), (36, 36, 42)),
    "white": ((235, 235, 238), (212, 216, 222)),
    "grey": ((128, 128, 131), (100, 102, 106), (158, 159, 163)),
    "red": ((190, 25, 35), (140, 20, 30), (220, 45, 48)),
    "orange": ((240, 110, 20), (225, 90, 30), (250, 140, 40)),
    "yellow": ((235, 205, 40), (250, 228, 90), (215, 230, 60)),
    "green": ((25, 120, 55), (60, 150, 70), (20, 80, 45), (110, 165, 60)),
    "blue": ((30, 70, 190), (25, 35, 85), (110, 165, 222), (60, 110, 170)),
    "purple": ((90, 40, 130), (130, 80, 170), (70, 40, 100)),
    "pink": ((240, 150, 180), (225, 90, 150), (250, 190, 205)),
    "brown": ((100, 65, 40), (130, 95, 65), (75, 50, 35)),
}


def main() -> None:
    """Train, print held-out figures, write the table."""
    parser = argparse.ArgumentParser(prog="python -m models.train.garment_colours", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/ and teachers/")
    parser.add_argument("--out", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.manual_seed(0)
    cells, meant = samples(args.data, "train")
    centres = find_centres(np.concatenate(cells)[:, 2:])
    x, kept = np.stack([shares(one, centres) for one in cells]), np.ones(len(cells), bool)
    for _ in range(ROUNDS):
        probabilities = cross_validate(x, meant, kept)
        kept = (probabilities * (meant > 0)).sum(1) >= IMPOSSIBLE
    print(f"{len(cells)} torsos, {kept.sum()} believed; right {right(probabilities[kept], meant[kept]):.3f} (5 folds)")
    colours = np.repeat(np.eye(len(WORDS)), PAINTED, axis=0)
    painted = np.stack([shares(one, centres) for one in paint(cells, colours)])
    weights, bias = fit(np.concatenate([x[kept], painted]), np.concatenate([meant[kept], colours]))
    cells, meant = samples(args.data, "val")
    held_out = softmax(np.stack([shares(one, centres) for one in cells]) @ weights + bias)
    print(f"validation: {len(cells)} torsos, right by their captions {right(held_out, meant):.3f}")
    table = {"words": WORDS, "centres": centres.round(2), "weights": weights.round(3), "bias": bias.round(3)}
    args.out.write_text(json.dumps(table, default=np.ndarray.tolist) + "\n", encoding="utf-8")


def samples(data: Path, split: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the torsos of a split as cells, and (N, colours) what their captions may mean, 0..1."""
    photos, found = Photos(data / "photos"), []
    faces = face_boxes(photos, data)
    for item in photos.items(split, captioned=True):
        boxes = faces[item.file].boxes[faces[item.file].agreed]
        meant = colours_of(item)
        if len(boxes) == 1 and meant.any():
            box = Box(*(float(side) for side in boxes[0]))
            cells = torso(photos.image(item.file), box)
            if cells is not None:
                found.append((cells, meant))
    return [cells for cells, _ in found], np.stack([meant for _, meant in found])


def colours_of(item: PhotoItem) -> np.ndarray:
    """Return (colours,) what the captions say one person wears: 1 said, VAGUE perhaps meant, 0 not."""
    meant = np.zeros(len(WORDS))
    for caption in item.captions:
        words = [token.text for token in tokens_of(caption)]
        mentions = people_in_caption(caption)
        if sum(mention.count for mention in mentions if mention.human) != 1:
            continue
        for garment in garments_in_caption(words, mentions):
            for word in (words[i] for i in garment.colours if words[i] in lexicon.COLOURS):
                colours = lexicon.COLOURS[word]
                for colour in colours:
                    at = WORDS.index(colour)
                    meant[at] = max(meant[at], 1.0 if len(colours) == 1 else VAGUE)
    return meant


def paint(cells: list[np.ndarray], colours: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a torso for each row of one-hot ``colours`` (N, colours): a shaded flat shirt over a random real one."""
    dice = np.random.default_rng(0)
    for row in colours:
        body = cells[dice.integers(len(cells))].copy()
        shirt = (np.abs(body[:, 0]) <= dice.uniform(0.5, 1.1)) & (body[:, 1] >= dice.uniform(0.0, 0.4))
        shirt &= body[:, 1] <= dice.uniform(1.6, 3.0)
        shade = dice.choice(np.array(SHADES[WORDS[int(row.argmax())]]))
        light = dice.uniform(0.75, 1.15) + dice.normal(0, 0.08, (shirt.sum(), 1))
        body[shirt, 2:] = to_lab((shade * light).clip(0, 255))
        yield body


def find_centres(colours: np.ndarray, *, rounds: int = 15, most: int = 4000) -> np.ndarray:
    """Return Lab centres (K, 3): all SHADES, and FOUND_CENTRES of the colours (N, 3) photos have (k-means)."""
    dice = np.random.default_rng(0)
    sample = dice.choice(colours, most) * (LIGHTNESS, 1, 1)
    found = sample[:FOUND_CENTRES]
    for _ in range(rounds):
        nearest = ((sample[:, None] - found) ** 2).sum(2).argmin(1)
        found = np.stack(
            [sample[nearest == k].mean(0) if (nearest == k).any() else dice.choice(sample) for k in range(len(found))]
        )
    shades = to_lab(np.array([shade for several in SHADES.values() for shade in several]))
    return np.concatenate([shades, found / (LIGHTNESS, 1, 1)])


def cross_validate(x: np.ndarray, meant: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return (N, colours) probabilities by models that never saw the sample; only ``kept`` ones train."""
    fold = np.random.default_rng(0).integers(FOLDS, size=len(x))
    probabilities = np.zeros_like(meant)
    for number in range(FOLDS):
        train = (fold != number) & kept
        weights, bias = fit(x[train], meant[train])
        probabilities[fold == number] = softmax(x[fold == number] @ weights + bias)
    return probabilities


def fit(x: np.ndarray, meant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and bias that make what is meant likely (L-BFGS)."""
    inputs, targets = torch.tensor(x, dtype=torch.float32), torch.tensor(meant, dtype=torch.float32)
    weights = torch.zeros(x.shape[1], meant.shape[1], requires_grad=True)
    bias = torch.zeros(meant.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        likely = torch.log_softmax(inputs @ weights + bias, 1) + torch.log(targets + 1e-9)
        value = -torch.logsumexp(likely, 1).mean() + DECAY * (weights**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach().numpy(), bias.detach().numpy()


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities over the last axis."""
    likely = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(likely / likely.sum(-1, keepdims=True))


def right(probabilities: np.ndarray, meant: np.ndarray) -> float:
    """Return the share of samples whose likeliest colour is one that is meant."""
    best: Sequence[int] = probabilities.argmax(1)
    return float((meant[np.arange(len(meant)), best] > 0).mean())


if __name__ == "__main__":
    main()
