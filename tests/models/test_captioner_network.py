import pytest
import torch

from bot.vision.captioner import COCO, END, PLAIN
from models.captioner import Captioner, CaptionerConfig
from models.train.captioner import caption_loss


@pytest.fixture
def network() -> Captioner:
    torch.manual_seed(0)
    config = CaptionerConfig(
        words=40, concepts=tuple(range(5, 25)), size=64, width=32, layers=2, heads=4, inner=64, top=3
    )
    return Captioner(config).eval()


@torch.no_grad()
def memory(network: Captioner, photos: int) -> tuple[torch.Tensor, torch.Tensor]:
    grid = network.see(torch.randn(photos, 320, 2, 2))
    return network.memory(grid, network.concept_head(grid.mean(1)))


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
    grid, concepts = torch.randn(1, 4, 1280), torch.randn(1, 20)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = caption_loss(network, grid, concepts, ids, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
