"""The bot's networks in PyTorch, op by op as they were trained, with the weights of the shipped files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from bot.runtime.bundle import Bundle, ModelEntry
from export.bench.growing import INPUTS, OUTPUTS, GrowingDecoder, GrowingWriter
from export.bench.weights import Stored, read_back
from export.branching_captioner import BranchingCaptioner
from export.graphs.captioner import Encoder
from models.captioner import Captioner, CaptionerConfig, Trunk
from models.efficientnet_lite0 import EfficientNetLite0
from models.face_detector import DetectorForExport, FaceDetectorNet
from models.face_reader import CalibratedFaceReader, FaceReaderConfig, FaceReaderNet

LOOKED = ("look", "look_low", "strength", "keys_values")  # matrices without a name in the encoder's file, in its order
SAID = ("qkv", "out", "query", "cross_out", "wide", "narrow")  # the same of a block in the decoder's


class EagerModel:
    """What bot.runtime.session.Session is, for a PyTorch module with the inputs and outputs of an exported graph."""

    def __init__(
        self, module: nn.Module, entry: ModelEntry, inputs: Sequence[str] = (), outputs: Sequence[str] = ()
    ) -> None:
        """Take a module and the entry of the file; names of inputs and outputs are the file's unless given."""
        self._module, self.entry = module.eval(), entry
        shapes = {node["name"]: node["shape"] for node in entry.about["inputs"]}
        self.input_shapes: dict[str, list[Any]] = {name: shapes.get(name, []) for name in inputs or shapes}
        self.output_names = [*(outputs or (node["name"] for node in entry.about["outputs"]))]

    @torch.inference_mode()
    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the module once and return every output by name."""
        outputs = self._module(*(torch.from_numpy(feeds[name]) for name in self.input_shapes))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return {name: value.numpy() for name, value in zip(self.output_names, outputs, strict=True)}


def eager_eyes(bundle: Bundle) -> tuple[dict[str, EagerModel], GrowingWriter]:
    """Return the networks that see, by the names of their files, and what writes captions."""
    encoder, network = captioner_networks(bundle)
    modules = {
        "face_detector": detector_network(bundle),
        "face_reader": reader_network(bundle),
        "captioner_encoder": encoder,
    }
    entry = bundle.model("captioner_decoder")
    decoder = EagerModel(GrowingDecoder(network), entry, INPUTS, OUTPUTS)
    eyes = {name: EagerModel(module, bundle.model(name)) for name, module in modules.items()}
    return eyes, GrowingWriter(decoder, entry.labels["words"], network.config)


def detector_network(bundle: Bundle) -> nn.Module:
    """Return the face detector."""
    stored = Stored(bundle.model("face_detector").path)
    network = FaceDetectorNet()
    module = DetectorForExport(network)
    read_back(module, stored)
    boxes = {node.output[0] for node in stored.graph.node if "network.box.weight" in node.input}
    scales = [stored.tensors[node.input[1]] for node in stored.graph.node if node.input and node.input[0] in boxes]
    network.scales.data = torch.tensor([float(scale) for scale in scales])  # of the levels, stored without a name
    return module


def reader_network(bundle: Bundle) -> nn.Module:
    """Return the face reader."""
    entry = bundle.model("face_reader")
    module = CalibratedFaceReader(FaceReaderNet(FaceReaderConfig()), entry.about["temperatures"])
    read_back(module, Stored(entry.path))
    return module


def captioner_networks(bundle: Bundle) -> tuple[Encoder, Captioner]:
    """Return the captioner's encoder, and the network that it shares with the decoder; each file holds a part of it."""
    entries = [bundle.model(f"captioner_{half}") for half in ("encoder", "decoder")]
    seen, said = (Stored(entry.path) for entry in entries)
    words = len(entries[1].labels["words"])
    # Where the encoder looks up how much each word is lifted: the place of a concept, one place for all other words.
    places = next(t for t in seen.tensors.values() if t.shape == (words, 1) and t.dtype == np.int64)[:, 0]
    concepts = np.argsort(places, kind="stable")[: places.max()]
    network = Captioner(CaptionerConfig(words, tuple(concepts.tolist())))
    encoder = Encoder(Trunk(EfficientNetLite0()), network)
    read_back(encoder, seen)
    read_back(BranchingCaptioner(network), said)
    encoder.table = torch.from_numpy(seen.tensors["table"].astype(np.float32))
    blocks = [f"blocks.{block}.{part}" for block in range(network.config.layers) for part in SAID]
    for names, matrices in ((LOOKED, seen.matrices()), ((*blocks, "embed", "gate"), said.matrices())):
        for name, matrix in zip(names, matrices, strict=True):
            network.get_submodule(name).weight = nn.Parameter(matrix.contiguous(), requires_grad=False)
    return encoder.eval(), network.eval()
