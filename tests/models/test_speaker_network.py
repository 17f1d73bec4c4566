import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from models.data.packing import IGNORED, Document, Encoder, pack
from models.speaker import CachedSpeaker, EagerSession
from models.train.speaker import loss_sum
from tests.tiny_speaker import PAIRS, tiny_speaker, tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tiny_tokenizer()


def test_one_token_at_a_time_equals_one_pass(tokenizer: Tokenizer) -> None:
    speaker = tiny_speaker(tokenizer)
    ids = torch.randint(0, tokenizer.get_vocab_size(), (2, 9))
    session = EagerSession(speaker)
    empty = {name: np.zeros((2, 2, 0, 16), np.float32) for name in session.input_shapes if name != "ids"}
    whole = session.run({"ids": ids.numpy(), **empty})["logits"]
    cache, parts = empty, []
    for start, end in ((0, 4), (4, 5), (5, 8), (8, 9)):
        out = session.run({"ids": ids[:, start:end].numpy(), **cache})
        parts.append(out["logits"])
        cache = {name: out[name.replace("past_", "present_")] for name in cache}
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-4)


def test_packed_branches_cost_what_single_prompts_cost(tokenizer: Tokenizer) -> None:
    """The packing mask and positions show each reply exactly what it would see alone."""
    speaker, encoder = tiny_speaker(tokenizer), Encoder(tokenizer)
    alone = [next(pack([encoder.document([pair])], 1, 160)) for pair in PAIRS]
    together = list(pack([encoder.document(PAIRS), encoder.document(PAIRS[:1])], 2, 250))
    assert len(together) == 1
    with torch.no_grad():
        first, second = (loss_sum(speaker, batch, torch.device("cpu")) for batch in alone)
        packed, tokens = loss_sum(speaker, together[0], torch.device("cpu"))
    assert tokens == 2 * first[1] + second[1]
    assert float(packed) == pytest.approx(2 * float(first[0]) + float(second[0]), rel=1e-4)


def test_only_what_the_persona_says_is_learned(tokenizer: Tokenizer) -> None:
    batch = next(pack([Encoder(tokenizer).document(PAIRS)], 1, 250))
    learned = tokenizer.decode(batch.targets[batch.targets != IGNORED].tolist(), skip_special_tokens=False)
    assert learned == (" Arr,<|this_wear|> be mine.<|end|> Hi,<|animal|>.<|end|> Just me and the dog.<|end|>")


def test_documents_that_do_not_fit_go_on_in_the_next_row(tokenizer: Tokenizer) -> None:
    encoder = Encoder(tokenizer)
    document = encoder.document(PAIRS * 4)
    batches = list(pack([document], 2, 160))
    learned = sum(int((batch.targets != IGNORED).sum()) for batch in batches)
    assert learned == sum(int(branch.learned.sum()) for branch in document.branches)
    assert all(batch.ids.shape[1] == 160 for batch in batches)
    assert not list(pack([Document(document.trunk, document.branches[:1])], 1, len(document.trunk.ids) + 3))


def test_training_on_two_pairs_learns_them(tokenizer: Tokenizer) -> None:
    speaker = tiny_speaker(tokenizer).train()
    batch = next(pack([Encoder(tokenizer).document(PAIRS)], 1, 160))
    optimizer = torch.optim.AdamW(speaker.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        loss, tokens = loss_sum(speaker, batch, torch.device("cpu"))
        (loss / tokens).backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()) / tokens)
    assert losses[-1] < losses[0] / 2


def test_cached_speaker_masks_the_future(tokenizer: Tokenizer) -> None:
    module = CachedSpeaker(tiny_speaker(tokenizer))
    empty = [torch.zeros(1, 2, 0, 16)] * 4
    ids = torch.randint(0, 300, (1, 6))
    changed = ids.clone()
    changed[0, 5] = 7
    with torch.no_grad():
        a, b = module(ids, *empty)[0], module(changed, *empty)[0]
    assert torch.allclose(a[:, :5], b[:, :5], atol=1e-5)
