"""Train the face detector: ``python -m models.train.face_detector --minutes 90``.

Needs ../shared/data (photos, faces, teachers). The teachers' boxes are computed once into cache/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bot.vision.boxes import nms, vote
from bot.vision.detector import VOTERS
from bot.vision.pixels import MEAN, STD, letterbox
from models.data.face_boxes import FaceBoxes, face_boxes
from models.data.face_frames import Frame, Frames, boxed_frame, read_crops
from models.data.photos import PhotoItem, Photos
from models.face_detector import FRAME, DetectorForExport, FaceDetectorConfig, FaceDetectorNet
from models.face_loss import Targets, detection_loss
from models.face_metrics import Detections, Judged, Truth, judge
from models.face_trunk import thinned
from models.train.face_sheet import draw_mistakes
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups

BATCHES = ((192, 20), (256, 12), (FRAME, 8))  # frame size and frames a step: about equal work
SMALL_UNTIL = 0.8  # of the budget: later steps see only the size production uses
LEARNING_RATE, TRUNK_RATE = 2e-3, 5e-4  # of the new parts, of the pretrained ones
WEIGHT_DECAY, GRADIENT_NORM = 0.02, 10.0
LEAST_CROP = 0.7  # YuNet's score of a FairFace crop that is used: many faces from the side are below 0.9
THINNING_PHOTOS = 32  # seen while the trunk is thinned
EMA_DECAY = 0.998  # of the weights that are kept; less at first, see moving_average
LEAST_FACE = 20.0  # pixels in the frame; what evaluation counts
TUNING_EVERY = 12  # photos of the training split: one is kept from training, for the threshold
OVERLAP, FAINTEST = 0.4, 0.03  # of the boxes kept by evaluation


def main() -> None:
    """Train, choose the threshold on training photos, measure on the held-out ones, save ``best.pt``."""
    parser = arguments("face_detector", __doc__ or "", minutes=90)
    parser.add_argument("--photos", type=int, default=0, help="use only so many photos (0: all)")
    parser.add_argument("--crops", type=int, default=0, help="use only so many FairFace crops (0: all)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    photos = Photos(args.data / "photos")
    faces = face_boxes(photos, args.data)
    known = photos.items("train")[: args.photos or None]
    tuning, taught = known[::TUNING_EVERY], [item for i, item in enumerate(known) if i % TUNING_EVERY]
    frames = Frames(photos, taught, faces, read_crops(args.data / "faces", "train", args.crops, LEAST_CROP))
    run = TrainingRun(args)  # the budget counts from here
    network = fresh_network(photos, taught).to(run.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    front = front_runner(network, run.out / "front.onnx", args.threads) if run.device.type == "cpu" else network.front
    average = AveragedModel(network, avg_fn=moving_average, use_buffers=True)
    optimizer = torch.optim.AdamW(rated_groups(network))
    parts = {"network": network, "average": average, "optimizer": optimizer}
    run.resume(**parts)
    rng = np.random.default_rng(args.seed + run.step)
    for step in run.steps():
        set_learning_rate(optimizer, cosine(run.progress))
        size, count = BATCHES[rng.integers(len(BATCHES))] if run.progress < SMALL_UNTIL else BATCHES[-1]
        pixels, targets = collate([frames.draw(rng, size) for _ in range(count)], run.device)
        with torch.no_grad():
            features = front(pixels)
        losses = detection_loss(network.after_front(features), targets, size)
        loss = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        optimizer.step()
        average.update_parameters(network)
        if step % 20 == 0:
            run.log({name: value.item() for name, value in losses.items()})
        if run.due():
            run.save(config=asdict(network.config), **parts)
    run.save(config=asdict(network.config), **parts)
    measure(run, average.module.eval(), photos, faces, tuning)
    run.save(BEST, config=asdict(network.config), network=average.module)


def fresh_network(photos: Photos, items: Sequence[PhotoItem]) -> FaceDetectorNet:
    """Return the network before training: the thinned ImageNet trunk, everything after it random."""
    seen = [
        np.asarray(letterbox(photos.image(item.file), FRAME)[0]) for item in items[:: len(items) // THINNING_PHOTOS]
    ]
    config = FaceDetectorConfig()
    return FaceDetectorNet(config, thinned(config.stages, normalised(seen)))


def rated_groups(network: FaceDetectorNet) -> list[dict[str, Any]]:
    """Return the optimiser's groups; what comes from ImageNet learns at TRUNK_RATE."""
    old = {id(parameter) for parameter in network.stages[:2].parameters()}
    groups = []
    for group in weight_groups(network, LEARNING_RATE, WEIGHT_DECAY):
        for known, rate in ((True, TRUNK_RATE), (False, LEARNING_RATE)):
            params = [parameter for parameter in group["params"] if (id(parameter) in old) == known]
            groups.append({**group, "params": params, "lr": rate})
    return groups


def front_runner(network: FaceDetectorNet, file: Path, threads: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the frozen front as ONNX Runtime runs it from ``file`` on the CPU: three times as fast as PyTorch."""
    axes = {"pixels": {0: "batch", 2: "height", 3: "width"}}
    example = torch.zeros(1, 3, 64, 64)
    torch.onnx.export(network.front, (example,), file, input_names=["pixels"], dynamic_axes=axes, dynamo=False)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def run(pixels: torch.Tensor) -> torch.Tensor:
        (features,) = session.run(None, {"pixels": np.ascontiguousarray(pixels.numpy())})
        return torch.from_numpy(features).contiguous(memory_format=torch.channels_last)

    return run


def normalised(images: Sequence[np.ndarray]) -> torch.Tensor:
    """Return RGB images (S, S, 3) uint8 as the network's input (B, 3, S, S), channels last."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() - mean) / std


def moving_average(average: torch.Tensor, value: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
    """Return the exponential moving average of a weight after ``count`` updates; it forgets its beginning early on."""
    if not average.is_floating_point():
        return value
    decay = min(EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    return torch.lerp(average, value, 1 - decay)


def collate(frames: Sequence[Frame], device: torch.device) -> tuple[torch.Tensor, Targets]:
    """Stack frames into normalised pixels (B, 3, S, S), channels last, and padded targets."""
    most = max(1, *(len(frame.boxes) for frame in frames))
    boxes, points, kind = (
        np.zeros((len(frames), most, 4)),
        np.zeros((len(frames), most, 10)),
        np.zeros((len(frames), most)),
    )
    for i, frame in enumerate(frames):
        n = len(frame.boxes)
        boxes[i, :n] = np.concatenate([frame.boxes[:, :2], frame.boxes[:, :2] + frame.boxes[:, 2:]], axis=1)
        points[i, :n] = frame.landmarks.reshape(n, 10)
        kind[i, :n] = np.where(frame.ignore, -1, 1)
    targets = Targets(*(torch.from_numpy(values).float().to(device) for values in (boxes, points, kind)))
    return normalised([frame.pixels for frame in frames]).to(device), targets


@torch.no_grad()
def look(network: nn.Module, photos: Photos, items: Sequence[PhotoItem], device: torch.device) -> list[Detections]:
    """Return the boxes (D, 4) in the frame and scores (D,) that the network finds in each photo, best first."""
    model, found = DetectorForExport(network).eval(), []
    for item in items:
        square = np.array(letterbox(photos.image(item.file), FRAME)[0])
        scores, boxes, _ = (output[0].cpu().numpy() for output in model(normalised([square]).to(device)))
        seen = scores >= FAINTEST
        kept = nms(boxes[seen], scores[seen], OVERLAP)
        found.append((vote(boxes[seen], scores[seen], kept, VOTERS), scores[seen][kept]))
    return found


def truths(photos: Photos, faces: dict[str, FaceBoxes], items: Sequence[PhotoItem]) -> list[Truth]:
    """Return the teachers' faces of each photo in the frame."""
    frames = (boxed_frame(photos, item, faces[item.file]) for item in items)
    return [Truth(frame.boxes, frame.ignore) for frame in frames]


def measure(
    run: TrainingRun, network: nn.Module, photos: Photos, faces: dict[str, FaceBoxes], tuning: Sequence[PhotoItem]
) -> None:
    """Choose the threshold on ``tuning``; put it and the held-out photos' recall and precision into ``run.metrics``."""

    def judged(items: Sequence[PhotoItem]) -> Judged:
        return judge(look(network, photos, items, run.device), truths(photos, faces, items), least=LEAST_FACE)

    threshold = judged(tuning).balanced_threshold()
    items = photos.items("val")
    found, held = look(network, photos, items, run.device), truths(photos, faces, items)
    held_out = judge(found, held, least=LEAST_FACE)
    recall, precision = held_out.at(threshold)
    pictures = (letterbox(photos.image(item.file), FRAME)[0] for item in items)
    draw_mistakes(list(pictures), found, held, threshold, least=LEAST_FACE).save(run.out / "mistakes.jpg")
    run.metrics = {"threshold": threshold, "recall": recall, "precision": precision, "faces": float(held_out.faces)}
    run.log(run.metrics, "val")
    print({name: round(value, 4) for name, value in run.metrics.items()})


if __name__ == "__main__":
    main()
