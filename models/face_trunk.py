"""The face detector's trunk: the first four stages of EfficientNet-Lite0, thinner and padded evenly.

Most of the time of a 320 px frame goes into the first inverted bottlenecks. ``thinned`` removes the
expanded channels that the ImageNet weights miss least (optimal brain surgeon, Hassibi & Stork 1993, on the
least squares problem of each projection) and refits the projection, so no training is needed
to heal the cut. Even padding, unlike TensorFlow's SAME, is part of the convolution in ONNX Runtime: without it
every layer is copied, at three times the price.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.efficientnet_lite0 import (
    STAGES,
    ConvNormAct,
    EfficientNetLite0,
    InvertedBottleneck,
    SamePadConv2d,
    pretrained,
)

Stages = Sequence[tuple[int, int, int, int, int]]
RIDGE = 1e-4  # of the mean diagonal of the Gram matrix


def trunk(stages: Stages) -> EfficientNetLite0:
    """Return the evenly padded backbone of ``stages`` without weights worth keeping."""
    return evenly_padded(EfficientNetLite0(head=False, stages=stages))


def evenly_padded(network: EfficientNetLite0) -> EfficientNetLite0:
    """Replace every SAME convolution of ``network`` by one padded alike on all sides, weights shared."""
    for parent in [module for module in network.modules() if isinstance(module, ConvNormAct)]:
        same = parent[0]
        assert isinstance(same, SamePadConv2d)
        kernel = same.kernel_size[0]
        even = nn.Conv2d(
            same.in_channels, same.out_channels, kernel, same.stride[0], kernel // 2, groups=same.groups, bias=False
        )
        even.weight = same.weight
        parent[0] = even
    return network


@torch.no_grad()
def thinned(stages: Stages, pixels: Tensor) -> EfficientNetLite0:
    """Return the backbone of ``stages``, the first of STAGES perhaps with smaller expansions, with ImageNet weights.

    ``pixels`` (B, 3, H, W), normalised photos, are what the smaller network should see as the full one does.
    """
    full, thin = evenly_padded(pretrained(head=False, stages=STAGES[: len(stages)])).eval(), trunk(stages).eval()
    thin.stem.load_state_dict(full.stem.state_dict())
    x = y = thin.stem(pixels)
    for ours, theirs in zip(thin.blocks, full.blocks, strict=True):
        assert isinstance(ours, InvertedBottleneck)
        assert isinstance(theirs, InvertedBottleneck)
        y = theirs(y)
        if width(ours) == width(theirs):
            ours.load_state_dict(theirs.state_dict())
        else:
            cut(ours, theirs, x, y - x if ours.residual else y)
        x = ours(x)
    return thin


def width(block: InvertedBottleneck) -> int:
    """Return how many channels the expansion of ``block`` has."""
    convolution = block.depthwise[0]
    assert isinstance(convolution, nn.Conv2d)
    return convolution.in_channels


def cut(ours: InvertedBottleneck, theirs: InvertedBottleneck, x: Tensor, wanted: Tensor) -> None:
    """Fill ``ours`` with those channels of ``theirs`` that, applied to ``x``, best explain ``wanted`` (B, C, h, w)."""
    wide = theirs.depthwise(theirs.expand(x)).transpose(0, 1).flatten(1).double()  # (channels, samples)
    goal = wanted.transpose(0, 1).flatten(1).double()
    means, goal_means = wide.mean(1, keepdim=True), goal.mean(1, keepdim=True)
    wide, goal = wide - means, goal - goal_means
    gram = wide @ wide.T
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    cross = wide @ goal.T
    kept = list(range(len(gram)))
    while len(kept) > width(ours):
        inverse = torch.linalg.inv(gram[kept][:, kept])
        price = (inverse @ cross[kept]).square().sum(1) / inverse.diagonal()  # squared error that its loss adds
        del kept[int(price.argmin())]
    weights = torch.linalg.solve(gram[kept][:, kept], cross[kept])  # (kept, C)
    for part in ("expand", "depthwise"):
        state = getattr(theirs, part).state_dict()
        getattr(ours, part).load_state_dict({k: v[kept] if v.ndim else v for k, v in state.items()})
    convolution, norm = ours.project
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    convolution.weight.copy_(weights.T[:, :, None, None])
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    norm.bias.copy_((goal_means - weights.T @ means[kept])[:, 0])
