import numpy as np
from PIL import Image

from models.face_metrics import Truth
from models.train.face_sheet import COLUMNS, ROWS, draw_mistakes, mistakes

NOTHING = (np.zeros((0, 4)), np.zeros(0))
FACE = Truth(np.array([[10.0, 10, 30, 30]]), np.zeros(1, bool))


def test_misses_and_false_alarms_are_mistakes_and_unsure_boxes_are_not():
    boxes = np.array([[10.0, 10, 30, 30], [60, 60, 30, 30]])
    assert mistakes(NOTHING, FACE, 0.5, least=20) == 1
    assert mistakes((boxes, np.array([0.9, 0.8])), FACE, 0.5, least=20) == 1
    assert mistakes((boxes, np.array([0.9, 0.4])), FACE, 0.5, least=20) == 0
    assert mistakes((boxes, np.array([0.4, 0.4])), FACE, 0.5, least=20) == 1


def test_the_worst_photo_comes_first():
    pictures = [Image.new("RGB", (96, 96), color) for color in ("blue", "yellow")]
    sheet = draw_mistakes(pictures, [(FACE.boxes, np.array([0.9])), NOTHING], [FACE, FACE], 0.5, least=20)
    assert sheet.size == (96 * COLUMNS, 96 * ROWS)
    assert sheet.getpixel((90, 90)) == (255, 255, 0)
    assert sheet.getpixel((96 + 90, 90)) == (0, 0, 255)
    assert sheet.getpixel((10, 20)) == (0, 255, 0)  # the missed face
    assert sheet.getpixel((96 + 10, 20)) == (255, 0, 0)  # the found one, its box over the face
