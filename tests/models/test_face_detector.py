import pytest
import torch

from models.face_detector import (
    FRAME,
    STRIDES,
    DetectorForExport,
    FaceDetectorConfig,
    FaceDetectorNet,
    all_centers,
    cell_centers,
)
from models.face_loss import Targets, assign, detection_loss, generalised_iou

SMALL = FaceDetectorConfig(
    stages=((1, 8, 1, 1, 3), (2, 8, 2, 2, 3), (2, 8, 2, 2, 5), (2, 16, 2, 2, 3)), deep=16, deep_blocks=1, pyramid=8
)


def one_face(x: float, y: float, side: float, kind: int = 1) -> Targets:
    box = torch.tensor([[[x, y, x + side, y + side]]])
    points = torch.tensor([[[0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8]]]) * side
    points += torch.tensor([x, y]).repeat(5)
    return Targets(box, points, torch.tensor([[float(kind)]]))


def test_every_cell_answers_and_the_size_is_kept():
    network = FaceDetectorNet().eval()
    assert 250_000 < sum(p.numel() for p in network.parameters()) < 700_000  # at most 1.5 MB in half precision
    scores, boxes, landmarks = network(torch.zeros(2, 3, FRAME, FRAME))
    cells = 40 * 40 + 20 * 20 + 10 * 10
    assert (scores.shape, boxes.shape, landmarks.shape) == ((2, cells), (2, cells, 4), (2, cells, 10))


def test_the_front_never_trains():
    network = FaceDetectorNet(SMALL).train()
    pixels, before = torch.randn(2, 3, 64, 64), network.front[0][1].running_mean.clone()
    network(pixels)[0].sum().backward()
    assert network.stages[0].training
    assert not network.front.training
    assert all(p.grad is None for p in network.front.parameters())
    assert torch.equal(network.front[0][1].running_mean, before)
    assert any(p.grad is not None for p in network.stages[0].parameters())


def test_the_parts_make_the_whole():
    network = FaceDetectorNet(SMALL).eval()
    pixels = torch.randn(1, 3, 64, 64)
    for whole, parts in zip(network(pixels), network.after_front(network.front(pixels)), strict=True):
        assert torch.equal(whole, parts)


def test_centers_go_row_by_row():
    assert cell_centers(2, 3, 8).tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]


def test_centers_of_all_levels_are_those_of_each():
    expected = torch.cat([cell_centers(96 // stride, 160 // stride, stride) for stride in STRIDES])
    assert torch.equal(all_centers(12, 20), expected)


def test_a_frame_may_be_of_any_shape_and_its_grey_makes_no_cells():
    network = DetectorForExport(FaceDetectorNet(SMALL)).eval()
    scores, boxes, landmarks = network(torch.randn(1, 3, 64, 96))
    centers = torch.cat([cell_centers(64 // s, 96 // s, s) for s in STRIDES])
    assert (scores.shape, boxes.shape, landmarks.shape) == ((1, 126), (1, 126, 4), (1, 126, 10))
    assert (boxes[0, :, :2] < centers).all()
    assert (boxes[0, :, :2] + boxes[0, :, 2:] > centers).all()


def test_untrained_boxes_surround_their_cell_and_scores_are_low():
    network = FaceDetectorNet(SMALL).eval()
    scores, boxes, _ = DetectorForExport(network)(torch.randn(1, 3, 64, 64))
    assert scores.max() < 0.2
    centers = torch.cat([cell_centers(64 // s, 64 // s, s) for s in (8, 16, 32)])
    assert (boxes[0, :, :2] < centers).all()
    assert (boxes[0, :, :2] + boxes[0, :, 2:] > centers).all()


@pytest.mark.parametrize(("side", "stride"), [(20.0, 8), (60.0, 16), (300.0, 32)])
def test_a_face_is_answered_for_by_its_level(side, stride):
    face, ignore = assign(one_face((FRAME - side) / 2, (FRAME - side) / 2, side), FRAME)
    level = {8: (0, 1600), 16: (1600, 2000), 32: (2000, 2100)}[stride]
    cells = (face[0] >= 0).nonzero().flatten()
    assert 1 <= len(cells) <= 9
    assert level[0] <= cells.min() <= cells.max() < level[1]
    assert not ignore.any()


def test_ignored_faces_have_no_cells_but_silence_theirs():
    face, ignore = assign(one_face(100, 100, 64, kind=-1), FRAME)
    assert (face < 0).all()
    centers = cell_centers(40, 40, 8)
    inside = ((centers > 100) & (centers < 164)).all(-1)
    assert torch.equal(ignore[0, :1600], inside)


def test_the_smaller_of_two_faces_in_one_place_wins():
    small, large = one_face(150, 150, 20), one_face(140, 140, 39)
    both = Targets(*(torch.cat([getattr(large, n), getattr(small, n)], 1) for n in ("boxes", "landmarks", "kind")))
    face, _ = assign(both, FRAME)
    assert face[0, (160 // 8) * 40 + 160 // 8] == 1


def test_giou_of_equal_and_distant_boxes():
    a = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10]])
    b = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    iou, giou = generalised_iou(a, b)
    assert iou.tolist() == pytest.approx([1.0, 0.0])
    assert giou.tolist() == pytest.approx([1.0, -1 / 3])


def test_a_perfect_answer_costs_nothing_and_a_wrong_one_does():
    targets = one_face(100, 100, 60)
    face, _ = assign(targets, FRAME)
    scores = torch.where(face >= 0, 20.0, -20.0)
    boxes = targets.boxes.expand(1, 2100, 4)
    landmarks = targets.landmarks.expand(1, 2100, 10)
    perfect = detection_loss((scores, boxes, landmarks), targets, FRAME)
    assert sum(perfect.values()).item() == pytest.approx(0.0, abs=1e-4)
    wrong = detection_loss((-scores, boxes + 5, landmarks + 5), targets, FRAME)
    assert all(wrong[name] > perfect[name] + 0.03 for name in perfect)


def test_a_frame_without_faces_can_be_learned_from():
    network = FaceDetectorNet(SMALL)
    nothing = Targets(torch.zeros(2, 1, 4), torch.zeros(2, 1, 10), torch.zeros(2, 1))
    losses = detection_loss(network(torch.randn(2, 3, 64, 64)), nothing, 64)
    sum(losses.values()).backward()
    assert torch.isfinite(network.score.weight.grad).all()
    assert losses["box"] == losses["landmark"] == 0


def test_a_box_that_sits_well_enough_should_score_one_and_a_bad_one_nothing():
    targets = one_face(100, 100, 60)
    face, _ = assign(targets, FRAME)
    scores = torch.where(face >= 0, 20.0, -20.0)
    landmarks = targets.landmarks.expand(1, 2100, 10)
    shifts = {"well": 6.0, "half": 20.0, "badly": 40.0}  # pixels: IoU 0.82, 0.5 and 0.2
    cost = {
        name: detection_loss(
            (scores, (targets.boxes + torch.tensor([x, 0, x, 0])).expand(1, 2100, 4), landmarks), targets, FRAME
        )["score"].item()
        for name, x in shifts.items()
    }
    assert cost["well"] == pytest.approx(0.0, abs=1e-4)
    assert cost["half"] == pytest.approx(cost["badly"] / 8, rel=0.01)  # focus 0.5 ** 2 and half the cross-entropy


@pytest.mark.train
def test_it_learns_to_find_a_square():
    torch.manual_seed(0)
    network = FaceDetectorNet(SMALL)
    pixels = torch.zeros(4, 3, 64, 64)
    faces = [one_face(8.0 * i, 16.0, 24) for i in range(4)]
    for image, target in zip(pixels, faces, strict=True):
        x0, y0, x1, y1 = target.boxes[0, 0].int().tolist()
        image[:, y0:y1, x0:x1] = 1
    targets = Targets(*(torch.cat([getattr(f, n) for f in faces]) for n in ("boxes", "landmarks", "kind")))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    history = []
    for _ in range(60):
        loss = sum(detection_loss(network(pixels), targets, 64).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.4 * history[0]
