"""Train the face detector: ``python -m models.train.face_detector --minutes 18``.

Needs ../shared/data (photos, faces, teachers). The teachers' boxes are computed once into cache/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bot.vision.boxes import nms
from bot.vision.pixels import MEAN, STD, letterbox
from models.data.face_boxes import FaceBoxes, face_boxes
from models.data.face_frames import Frame, Frames, boxed_frame, read_crops
from models.data.photos import PhotoItem, Photos
from models.face_detector import FRAME, DetectorForExport, FaceDetectorNet
from models.face_loss import Targets, detection_loss
from models.face_metrics import Judged, Truth, judge
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups

BATCHES = ((192, 20), (256, 12), (FRAME, 8))  # frame size and frames a step: about equal work
SMALL_UNTIL = 0.65  # of the budget: later steps see only the size production uses
LEARNING_RATE, WEIGHT_DECAY, GRADIENT_NORM = 2.5e-3, 0.02, 10.0
EMA_DECAY = 0.998  # of the weights that are kept; less at first, see moving_average
LEAST_FACE = 20.0  # pixels in the frame; what evaluation counts
TUNING_PHOTOS = 400  # of the training split: for checkpoints and the threshold
OVERLAP, FAINTEST = 0.4, 0.03  # of the boxes kept by evaluation


def main() -> None:
    """Train, choose the threshold on training photos, measure on the held-out ones, save ``best.pt``."""
    parser = arguments("face_detector", __doc__ or "", minutes=18)
    parser.add_argument("--photos", type=int, default=0, help="use only so many photos (0: all)")
    parser.add_argument("--crops", type=int, default=0, help="use only so many FairFace crops (0: all)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    photos = Photos(args.data / "photos")
    faces = face_boxes(photos, args.data)
    frames = Frames(photos, faces, read_crops(args.data / "faces", "train", args.crops), args.photos)
    known = photos.items("train")[: args.photos or None]
    tuning = known[:: max(1, len(known) // TUNING_PHOTOS)]
    run = TrainingRun(args)  # the budget counts from here
    network = FaceDetectorNet().to(run.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(network, avg_fn=moving_average, use_buffers=True)
    optimizer = torch.optim.AdamW(weight_groups(network, LEARNING_RATE, WEIGHT_DECAY))
    parts = {"network": network, "average": average, "optimizer": optimizer}
    run.resume(**parts)
    rng = np.random.default_rng(args.seed + run.step)
    for step in run.steps():
        set_learning_rate(optimizer, cosine(run.progress))
        size, count = BATCHES[rng.integers(len(BATCHES))] if run.progress < SMALL_UNTIL else BATCHES[-1]
        pixels, targets = collate([frames.draw(rng, size) for _ in range(count)], run.device)
        losses = detection_loss(network(pixels), targets, size)
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
    measure(run, average.module.eval(), photos, faces, tuning)
    run.save(BEST, config=asdict(network.config), network=average.module)


def moving_average(average: torch.Tensor, value: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
    """Return the exponential moving average of a weight after ``count`` updates; it forgets its beginning early on."""
    if not average.is_floating_point():
        return value
    decay = min(EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    return torch.lerp(average, value, 1 - decay)


def collate(frames: Sequence[Frame], device: torch.device) -> tuple[torch.Tensor, Targets]:
    """Stack frames into normalised pixels (B, 3, S, S), channels last, and padded targets."""
    stacked = torch.from_numpy(np.stack([frame.pixels for frame in frames])).permute(0, 3, 1, 2)  # channels last
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
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
    return ((stacked.float() - mean) / std).to(device), targets


@torch.no_grad()
def look(
    network: nn.Module, photos: Photos, items: Sequence[PhotoItem], device: torch.device
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the boxes (D, 4) in the frame and scores (D,) that the network finds in each photo, best first."""
    model, found = DetectorForExport(network).eval(), []
    for item in items:
        square = np.array(letterbox(photos.image(item.file), FRAME)[0])
        none = np.zeros((0, 4))
        pixels, _ = collate([Frame(square, none, np.zeros((0, 5, 2)), np.zeros(0, bool))], device)
        scores, boxes, _ = (output[0].cpu().numpy() for output in model(pixels))
        seen = scores >= FAINTEST
        kept = nms(boxes[seen], scores[seen], OVERLAP)
        found.append((boxes[seen][kept], scores[seen][kept]))
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

    threshold = judged(tuning).best_threshold()
    held_out = judged(photos.items("val"))
    recall, precision = held_out.at(threshold)
    run.metrics = {"threshold": threshold, "recall": recall, "precision": precision, "faces": float(held_out.faces)}
    run.log(run.metrics, "val")
    print({name: round(value, 4) for name, value in run.metrics.items()})


if __name__ == "__main__":
    main()
