import copy
import functools
import gc
from collections.abc import Iterator

import pytest
from torch.onnx._internal.exporter._registration import ONNXRegistry


@pytest.fixture(scope="session", autouse=True)
def one_registry() -> Iterator[None]:
    """Let the exporter read the ONNX functions of all PyTorch operators once, not for each of some thirty exports.

    It parses the source of about five hundred each time, which takes longer than to export a small network.
    """
    read = functools.cache(ONNXRegistry.from_torchlib)

    def from_torchlib(opset_version: int) -> ONNXRegistry:
        registry = copy.copy(read(opset_version))
        registry.functions = {name: list(found) for name, found in registry.functions.items()}
        return registry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(from_torchlib))
        yield


@pytest.fixture(scope="module", autouse=True)
def rare_collections() -> Iterator[None]:
    """Look for garbage less often: an export makes millions of small objects, and hardly any of it in cycles."""
    thresholds = gc.get_threshold()
    gc.freeze()  # what was imported stays
    gc.set_threshold(50_000, 20, 20)
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
