import random

import pytest
import torch

from bot.domain import Person, Scene
from export.recall import Recall, lexical, recallable
from models.data.corpus import Block
from models.data.pairs import Pair
from models.recall import DualEncoder, RecallConfig, bags, query
from models.train.recall import batches, evaluate, recall_at, sides
from tests.tiny_speaker import tiny_tokenizer

WOMAN = (Person("woman", "adult", "happy", "center"),)
PLACES = ("beach", "street", "bridge", "field", "kitchen", "forest", "train", "garden")
PAIRS = [
    Pair(Scene(f"a woman in a red coat stands in a {place}", WOMAN), "pirate", (), (), f"Arr, this {place} be mine!")
    for place in PLACES
]


@pytest.fixture
def model() -> DualEncoder:
    torch.manual_seed(0)
    return DualEncoder(RecallConfig(vocabulary=420, width=32, dropout=0.0))


def test_vectors_are_unit_and_do_not_depend_on_their_batch(model: DualEncoder) -> None:
    tokenizer = tiny_tokenizer()
    together = model.encode_replies(bags(["Arr, a coat.", "A dog!"], tokenizer))
    assert together.norm(dim=1).tolist() == pytest.approx([1, 1])
    assert torch.allclose(together[1:], model.encode_replies(bags(["a DOG!"], tokenizer)), atol=1e-6)


def test_a_few_steps_teach_which_reply_is_whose(model: DualEncoder) -> None:
    tokenizer, device = tiny_tokenizer(), torch.device("cpu")
    blocks = [Block(pair.scene, (pair,), ()) for pair in PAIRS]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = batches(blocks, len(PAIRS), random.Random(0))
    losses = []
    for _ in range(40):
        loss = model(*sides(next(stream), tokenizer, device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2
    assert evaluate(model, PAIRS, tokenizer, device)["recall1"] > 0.8


def test_recall_counts_rows_whose_own_column_is_high() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.2, 0.1]])
    assert recall_at(scores, 1) == pytest.approx(1 / 3)
    assert recall_at(scores, 2) == pytest.approx(2 / 3)
    assert recall_at(scores, 3) == 1
    assert recall_at(torch.zeros(3, 3), 1) == 0


def test_words_alone_find_replies_that_name_their_scene() -> None:
    assert lexical(PAIRS, PAIRS) == {f"{name}recall{k}": 1.0 for name in ("", "same_voice_") for k in (1, 10)}


def test_a_reply_holds_where_its_words_and_slots_do() -> None:
    written = Scene("a woman in a red coat and a tall hat stands on a beach", WOMAN)
    one = recallable(Pair(written, "pirate", (), (), "Arr, this red coat and me tall hat be all I own."))
    assert one.form == "Arr, {this_wear} and me tall hat be all I own."
    there = Scene("a woman in a blue dress and a tall hat stands in a kitchen", WOMAN)
    assert one.holds(there)
    assert one.filled(there) == "Arr, this blue dress and me tall hat be all I own."
    assert not recallable(one.pair, one.pair.reply).holds(there)
    assert not one.holds(Scene("a woman in a blue dress stands in a kitchen", WOMAN))
    assert not one.holds(Scene(there.caption, (Person("woman", "adult", "sad", "center"),)))
    assert not one.holds(Scene(there.caption, (Person("baby", "baby", "happy", "center"),)))


def test_the_nearest_that_holds_is_recalled(model: DualEncoder) -> None:
    recall = Recall(PAIRS, model, tiny_tokenizer())
    scene = PAIRS[3].scene
    assert recall.by_tfidf(scene, "pirate")[0].pair == PAIRS[3]
    assert len(recall.by_encoder(scene, "pirate")) == len(PAIRS)
    found = recall.best(scene, "pirate")
    assert found is not None
    assert found.filled(scene) == "Arr, this field be mine!"
    assert query(scene, "pirate").endswith("<|voice:pirate|>")
    assert recall.best(Scene("a dog", (Person("dog", "-", "happy", "center"),)), "pirate") is None
