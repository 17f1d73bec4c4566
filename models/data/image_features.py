"""What the backbone's frozen part makes of many images, computed once and kept on disk as float16.

It gives the same in every epoch, so training costs only what is above it. Each image is looked at in
several views, which stand in for random augmentation. ONNX Runtime computes them: four times as fast
as eager PyTorch on a CPU.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor, nn
from tqdm import tqdm

from bot.vision.captioner import prepare
from bot.vision.pixels import MEAN, STD
from models.captioner import Trunk
from models.efficientnet_lite0 import pretrained

CACHE = Path("cache/captioner")
BATCH = 8
CROP = (0.65, 1.0)  # sides of a random crop, as shares of the photo's
LIGHT = (0.8, 1.2)  # brightness and contrast of a random crop; hues stay, captions name them
FRAME = (1.4, 3.0)  # sides of a wide frame, as multiples of the face crop's
PORTRAIT = (2.2, 4.5)  # sides of a portrait, as multiples of the face's height

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at one image, by file name and number.

    Number 0 is the whole image and 1 its mirror image; higher ones are random crops in other light,
    the odd ones mirrored. ``wide`` puts the image into a wider frame at random, ``face`` (x, y, width,
    height in pixels) cuts a portrait around a face. Chance depends on file and number alone.
    """

    file: str
    number: int = 0
    wide: bool = False
    face: Box | None = None

    @property
    def mirror(self) -> bool:
        """Whether left and right change places."""
        return self.number % 2 == 1

    def of(self, image: Image.Image) -> Image.Image:
        """Return this view of its image."""
        dice = np.random.default_rng(list(hashlib.sha256(f"{self.file} {self.number}".encode()).digest()[:8]))
        if self.face:
            image = portrait(image, self.face, dice)
        elif self.wide:
            image = in_wide_frame(image, dice)
        elif self.number > 1:
            width, height = dice.uniform(*CROP, 2) * image.size
            left, top = dice.uniform(0, 1, 2) * (image.width - width, image.height - height)
            image = image.crop((round(left), round(top), round(left + width), round(top + height)))
        if self.number > 1:
            image = ImageEnhance.Brightness(image).enhance(dice.uniform(*LIGHT))
            image = ImageEnhance.Contrast(image).enhance(dice.uniform(*LIGHT))
        return ImageOps.mirror(image) if self.mirror else image


def in_wide_frame(image: Image.Image, dice: np.random.Generator) -> Image.Image:
    """Return the image smaller, somewhere in the upper part of its own blurred enlargement."""
    scale = dice.uniform(*FRAME)
    width, height = round(scale * image.width), round(scale * image.height)
    frame = image.resize((8, 8), Image.Resampling.BOX).resize((width, height), Image.Resampling.BICUBIC)
    left, top = dice.uniform(0.2, 0.8) * (width - image.width), dice.uniform(0, 0.5) * (height - image.height)
    frame.paste(image, (round(left), round(top)))
    return frame


def portrait(image: Image.Image, face: Box, dice: np.random.Generator) -> Image.Image:
    """Return head and shoulders, or a little more, of whoever has the ``face``."""
    x, y, w, h = face
    side = dice.uniform(*PORTRAIT) * h
    left, top = x + w / 2 - side * dice.uniform(0.4, 0.6), y - h * dice.uniform(0.2, 0.6)
    right, bottom = min(image.width, left + side), min(image.height, top + side)
    return image.crop((round(max(0.0, left)), round(max(0.0, top)), round(right), round(bottom)))


@dataclass(frozen=True)
class Features:
    """What the trunk returned for N views: ``deep`` (N, 112, 2g, 2g) and ``low`` (N, 52, g, g), float16."""

    deep: np.ndarray
    low: np.ndarray

    def __len__(self) -> int:
        return len(self.deep)

    def tensors(self, rows: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """Return both for some rows as float32 tensors."""
        order = np.asarray(rows)
        return (
            torch.from_numpy(self.deep[order].astype(np.float32)),
            torch.from_numpy(self.low[order].astype(np.float32)),
        )


def features(name: str, views: Sequence[View], read: Callable[[str], Image.Image], size: int, threads: int) -> Features:
    """Return the trunk's features of ``views``, from the cache when it holds exactly these."""
    made = repr((list(views), size, CROP, LIGHT, FRAME, PORTRAIT))
    stem = f"{name}-{hashlib.sha256(made.encode()).hexdigest()[:12]}"
    trunk = Trunk(pretrained()).eval()
    arrays = compute(stem, ("deep", "low"), trunk, views, read, size, threads)
    return Features(*arrays)


def imagenet_features(
    name: str, files: Sequence[str], read: Callable[[str], Image.Image], size: int, threads: int
) -> np.ndarray:
    """Return the average-pooled features (N, 1280) of the untuned backbone: what photos are compared by."""
    views = [View(file) for file in files]
    stem = f"{name}-{hashlib.sha256(repr((files, size)).encode()).hexdigest()[:12]}"
    pooled = nn.Sequential(pretrained(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    return compute(stem, ("pooled",), pooled, views, read, size, threads)[0].astype(np.float32)


def seen_by(name: str, top: nn.Module, views: Features, rows: np.ndarray, threads: int) -> np.ndarray:
    """Return what ``top`` makes of the deep features of some rows: (rows, 320, g, g) float16, cached by its weights."""
    weights = b"".join(value.numpy().tobytes() for value in top.state_dict().values())
    key = hashlib.sha256(weights + rows.tobytes() + views.deep[rows[:: max(1, len(rows) // 50)]].tobytes())
    path = CACHE / f"{name}-{key.hexdigest()[:12]}.npy"
    if not path.exists():
        example = torch.zeros(2, *views.deep.shape[1:])
        session = _session(top, path.with_suffix(".onnx"), example, "deep", ("grid",), threads)
        parts = np.array_split(rows, max(1, len(rows) // BATCH))
        made = [
            session.run(None, {"deep": views.deep[part].astype(np.float32)})[0].astype(np.float16)
            for part in tqdm(parts, desc=f"features {path.stem}", mininterval=10)
        ]
        np.save(path, np.concatenate(made))
    return np.load(path, mmap_mode="r")


def compute(
    stem: str,
    outputs: Sequence[str],
    network: nn.Module,
    views: Sequence[View],
    read: Callable[[str], Image.Image],
    size: int,
    threads: int,
) -> list[np.ndarray]:
    """Run ``network`` over all views, one cached array an output; a finished cache is only opened."""
    paths = [CACHE / f"{stem}-{output}.npy" for output in outputs]
    if not all(path.exists() for path in paths):
        CACHE.mkdir(parents=True, exist_ok=True)
        blank = torch.zeros(2, 3, size, size)
        session = _session(network, CACHE / f"{stem}.onnx", blank, "image", outputs, threads)
        shapes = [(len(views), *np.shape(made)[1:]) for made in session.run(None, {"image": blank.numpy()})]
        unfinished = [path.with_suffix(".tmp") for path in paths]
        arrays = [
            np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
            for path, shape in zip(unfinished, shapes, strict=True)
        ]
        for start in tqdm(range(0, len(views), BATCH), desc=f"features {stem}", mininterval=10):
            some = views[start : start + BATCH]
            pixels = np.concatenate([prepare(view.of(read(view.file)), size, MEAN, STD) for view in some])
            for array, made in zip(arrays, session.run(None, {"image": pixels}), strict=True):
                array[start : start + len(some)] = made
        for array, old, new in zip(arrays, unfinished, paths, strict=True):
            array.flush()
            old.replace(new)
    return [np.load(path, mmap_mode="r") for path in paths]


def _session(
    network: nn.Module, path: Path, example: Tensor, name: str, outputs: Sequence[str], threads: int
) -> ort.InferenceSession:
    torch.onnx.export(
        network, (example,), str(path), dynamo=True, external_data=False, verbose=False,
        input_names=[name], output_names=list(outputs), dynamic_shapes=({0: "batch"},),
    )  # fmt: skip
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
