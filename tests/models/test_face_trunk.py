import torch
import torch.nn.functional as F

from models.efficientnet_lite0 import STAGES, EfficientNetLite0, pretrained
from models.face_trunk import evenly_padded, thinned, trunk, width

THIN = ((1, 16, 1, 1, 3), (4, 24, 2, 2, 3))


def test_strides_are_kept():
    stages = (*THIN, (4, 40, 2, 2, 5), (6, 80, 3, 2, 3))
    assert trunk(stages).eval()(torch.zeros(1, 3, 64, 96)).shape == (1, 80, 4, 6)


def test_padding_is_part_of_every_convolution():
    network = EfficientNetLite0(head=False, stages=THIN)
    weight = network.stem[0].weight
    evenly_padded(network)
    assert network.stem[0].weight is weight
    assert {type(module) for module in network.modules() if isinstance(module, torch.nn.Conv2d)} == {torch.nn.Conv2d}


def test_the_thin_trunk_sees_nearly_what_the_full_one_sees():
    torch.manual_seed(0)
    pixels = F.interpolate(torch.randn(4, 3, 12, 12), size=96, mode="bicubic")
    full, thin = evenly_padded(pretrained(head=False, stages=STAGES[:2])).eval(), thinned(THIN, pixels[:3])
    assert [width(block) for block in thin.blocks] == [32, 64, 96]
    with torch.no_grad():
        wanted, seen = full(pixels[3:]), thin(pixels[3:])
    explained = 1 - (wanted - seen).square().mean() / wanted.var()
    assert explained > 0.8


def test_nothing_changes_where_nothing_is_cut():
    pixels = torch.randn(2, 3, 32, 32)
    full = evenly_padded(pretrained(head=False, stages=STAGES[:2])).eval()
    with torch.no_grad():
        assert torch.equal(thinned(STAGES[:2], pixels)(pixels), full(pixels))
