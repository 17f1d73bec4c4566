"""The whole engine on the shipped bundle: steady from several threads, warm before the first photo, counted."""

import logging
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bot.app import SOON, TalkingPhotos
from bot.domain import Face
from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE
from bot.runtime.metrics import REGISTRY
from bot.runtime.timing import Stopwatch

pytestmark = pytest.mark.skipif(not (SHIPPED_BUNDLE / MANIFEST).is_file(), reason="there is no bundle of models")


@pytest.fixture(scope="module")
def engine() -> TalkingPhotos:
    return TalkingPhotos(provider="cpu", workers=2, threads=1)


def photos(count: int) -> list[bytes]:
    """Return different pictures of soft colours."""
    dice, made = np.random.default_rng(5), []
    for _ in range(count):
        buffer = BytesIO()
        small = dice.integers(0, 255, (6, 8, 3), np.uint8)
        Image.fromarray(small).resize((800, 600), Image.Resampling.BICUBIC).save(buffer, "JPEG")
        made.append(buffer.getvalue())
    return made


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"talking_photos_{name}", labels) or 0.0


def test_photos_seen_together_are_seen_as_alone(engine: TalkingPhotos) -> None:
    files = photos(4)
    alone = [engine.look(file) for file in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(engine.look, files * 2)) == alone * 2


def test_replies_made_together_are_those_made_alone(engine: TalkingPhotos) -> None:
    scene, pirate = engine.look(photos(1)[0]), engine.personas["pirate"]

    def reply(seed: int) -> str:
        return engine.reply(scene, pirate, seed=seed).text

    alone = [reply(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(reply, range(3))) == alone


def test_warming_up_runs_every_model_and_tells_where(
    engine: TalkingPhotos, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("face_detector", "face_reader", "captioner_encoder", "captioner_decoder")
    before = [counted("batch_size_count", model=name) for name in names]
    replies = counted("stage_seconds_count", stage="generate")
    with caplog.at_level(logging.INFO, "bot.app"):
        engine.warm_up()
    assert all(counted("batch_size_count", model=name) > earlier for name, earlier in zip(names, before, strict=True))
    assert counted("stage_seconds_count", stage="generate") == replies  # nobody was answered
    assert "The models run on CPU, 2 pieces of work at a time with 1 threads each; warmed up in" in caplog.text


def test_whoever_starts_need_not_wait_for_the_warming_up(
    engine: TalkingPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[tuple[float, object]] = []
    monkeypatch.setattr("bot.app.later", lambda seconds, work: planned.append((seconds, work)))
    engine.warm_up_soon()
    assert planned == [(SOON, engine.warm_up)]


def test_stages_replies_and_batches_are_counted(engine: TalkingPhotos) -> None:
    def counts() -> list[float]:
        stages = ("decode", "resize", "caption", "detect", "read", "facts", "generate", "rank")
        return [counted("stage_seconds_count", stage=stage) for stage in stages]

    watch, before = Stopwatch(), counts()
    scene = engine.look(photos(1)[0], watch)
    reply = engine.reply(scene, engine.personas["ghost" if "ghost" in engine.personas else "pirate"], seed=1)
    assert [now - earlier for now, earlier in zip(counts(), before, strict=True)] == [1] * 8
    voices = {voice for voice in ("ghost", "pirate") if counted("replies_total", source=reply.source, voice=voice)}
    assert voices


def test_many_photos_in_one_run_give_what_each_gives_alone(engine: TalkingPhotos) -> None:
    detector = engine.observer._detector
    images = [Image.open(BytesIO(file)) for file in photos(3)]
    together = detector.detect_many(images)  # type: ignore[attr-defined]
    for many, image in zip(together, images, strict=True):
        _alike(many, detector.detect(image))


def _alike(some: list[Face], others: list[Face]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one.box.as_list(), other.box.as_list(), atol=0.2)
        assert one.score == pytest.approx(other.score, abs=1e-3)


def test_the_shares_of_the_cores_are_those_asked_for(engine: TalkingPhotos) -> None:
    assert (engine.workers, engine.threads, engine.provider) == (2, 1, "CPU")
    assert REGISTRY.get_sample_value("talking_photos_engine_info", {"provider": "CPU", "workers": "2", "threads": "1"})
