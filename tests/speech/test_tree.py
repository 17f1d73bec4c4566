"""The shipped speaker on its one cache: what is kept of prompts, and that nothing depends on it."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from bot.domain import Person, Scene, Turn
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.runtime.spare import SpareCores, Wide
from bot.speech import tree
from bot.speech.decoder import Decoder
from bot.speech.prompt import build_prompt
from bot.speech.tree import KEPT, ROOM, TreeModel

SCENE = Scene("a man in a red jacket sits on a bench", (Person("man", "adult", "happy", "center"),))
TURNS = (Turn("persona", "Fine snow today!"), Turn("user", "what do you do here?"))
MORE = (*TURNS, Turn("persona", "I rest, and the bench rests with me."), Turn("user", "are you cold?"))


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(Bundle().model("speaker"), provider="cpu", threads=1)


def decoder_on(session: Session) -> Decoder:
    return Decoder(session, Bundle().file("speaker_tokenizer"))


def prompt(turns: tuple[Turn, ...], voice: str = "pirate", scene: Scene = SCENE) -> str:
    return build_prompt(scene, voice, (), turns)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the tokens of prompts that the network reads."""
    counts: list[int] = []
    plain = TreeModel.open

    def counting(self: TreeModel, chunks: list[list[int]], room: int):  # type: ignore[no-untyped-def]
        known = set(self._chunks)
        prefixes = [tuple(i for chunk in chunks[: n + 1] for i in chunk) for n in range(len(chunks))]
        counts.append(sum(len(chunk) for whole, chunk in zip(prefixes, chunks, strict=True) if whole not in known))
        return plain(self, chunks, room)

    monkeypatch.setattr(TreeModel, "open", counting)
    return counts


def test_what_prompts_share_is_read_once(session: Session, read: list[int]) -> None:
    decoder = decoder_on(session)
    texts = [prompt(()), prompt((), "queen"), prompt(TURNS), prompt(MORE), prompt(MORE)]
    for text in texts:
        decoder.sample(text, n=2, temperature=0.7, seed=1, max_tokens=4)
    lengths = [len(decoder.tokenizer.encode(text).ids) for text in texts]
    assert read[0] == lengths[0]
    assert read[1] == 2  # the voice and the reply marker
    assert read[2:] == [later - earlier for earlier, later in pairwise([lengths[0], *lengths[2:]])]


def test_a_reply_does_not_depend_on_what_was_kept(session: Session) -> None:
    warm = decoder_on(session)
    for turns in ((), TURNS):
        warm.sample(prompt(turns), n=3, temperature=0.7, seed=1, max_tokens=8)
    args = {"n": 6, "temperature": 0.9, "seed": 5, "max_tokens": 24}
    assert warm.sample(prompt(MORE), **args) == decoder_on(session).sample(prompt(MORE), **args)
    assert warm.score(prompt(MORE), ["Not at all."]) == decoder_on(session).score(prompt(MORE), ["Not at all."])


def test_what_is_kept_is_bounded_and_a_long_message_is_read(
    session: Session, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "KEPT", limit := KEPT // 4)
    decoder = decoder_on(session)
    model = decoder._model
    assert isinstance(model, TreeModel)
    for i in range(10):
        scene = Scene(f"a man number {i} in a red jacket sits on bench number {i} of {i + 1}", SCENE.people)
        decoder.sample(prompt(TURNS, scene=scene), n=1, temperature=0.7, seed=1, max_tokens=2)
    assert 0 < sum(chunk.bytes for chunk in model._chunks.values()) <= limit
    assert sum(read) > sum(chunk.cache.shape[3] for chunk in model._chunks.values()), "the oldest are dropped"
    shout = tuple(Turn("user" if i % 2 else "persona", "\u00e9\u4f60" * 120) for i in range(2))
    assert len(decoder.tokenizer.encode(prompt(shout)).ids) > ROOM
    (sample,) = decoder.sample(prompt(shout), n=1, temperature=0.7, seed=1, max_tokens=3)
    assert np.isfinite(sample.log_prob)


def test_threads_do_not_disturb_each_other(session: Session) -> None:
    decoder = decoder_on(session)
    jobs = [(turns, voice) for turns in ((), TURNS, MORE) for voice in ("pirate", "queen")]

    def write(job: tuple[tuple[Turn, ...], str]) -> object:
        return decoder.sample(prompt(*job), n=4, temperature=0.9, seed=3, max_tokens=12)

    alone = [write(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, jobs * 3)) == alone * 3


def test_a_reply_is_the_same_whether_a_second_core_is_free_or_not(session: Session) -> None:
    entry, cores = Bundle().model("speaker"), SpareCores(1)
    wide = Wide(Session(entry, provider="cpu", threads=2, spins=True), cores.borrowed)
    decoder = decoder_on(session)
    decoder.widen(wide)
    args = {"n": 6, "temperature": 0.9, "seed": 5, "max_tokens": 24}
    alone = [decoder.sample(prompt(turns), **args) for turns in (TURNS, MORE)]
    model = decoder._model
    assert isinstance(model, TreeModel)
    assert [*model._idle] == [wide.session]  # the first one had nothing to do
    again = decoder_on(session)
    with cores.busy():
        assert [decoder.sample(prompt(turns), **args) for turns in (TURNS, MORE)] == alone
    assert [*model._idle] == [wide.session, session]
    assert [again.sample(prompt(turns), **args) for turns in (TURNS, MORE)] == alone
