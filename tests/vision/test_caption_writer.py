from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import LIKELIEST, PLAIN, Captioner


@pytest.fixture(scope="module")
def captioner() -> Captioner:
    bundle = Bundle()
    encoder, decoder = (
        Session(bundle.model(f"captioner_{part}"), provider="cpu", threads=1) for part in ("encoder", "decoder")
    )
    return Captioner(encoder, CaptionWriter(decoder))


def photo(number: int) -> Image.Image:
    return Image.effect_mandelbrot((64 + number, 48), (-2, -1.2, 1, 1.2 / (1 + number)), 40).convert("RGB")


def test_each_caption_goes_on_behind_its_own_words(captioner: Captioner) -> None:
    writer, memory = captioner._writer, captioner.look(photo(0))
    a, b, c = (writer.words.index(word) for word in ("man", "dog", "on"))
    start, parents = np.array([[PLAIN]]), np.array([0])
    with writer.open(memory) as next_words:
        words, log_probs = next_words(start, parents)
        assert words.shape == log_probs.shape == (1, LIKELIEST)
        assert np.all(np.diff(log_probs[0]) <= 0)
        next_words(np.array([[PLAIN, a], [PLAIN, b]]), np.array([0, 0]))
        # they change places, and the second has grown in two ways
        paths = np.array([[PLAIN, b, c], [PLAIN, a, c], [PLAIN, b, a]])
        both = [found.copy() for found in next_words(paths, np.array([1, 0, 1]))]
    for row, path in enumerate(([b, c], [a, c], [b, a])):
        with writer.open(memory) as next_words:
            next_words(start, parents)
            for end in (1, 2):
                alone = next_words(np.array([[PLAIN, *path[:end]]]), parents)
        assert alone[1][0] == pytest.approx(both[1][row], abs=0.3)  # int8 rounds all rows of a run alike
        assert len({*alone[0][0, :8]} & {*both[0][row, :8]}) >= 6
    assert {*both[0][0, :8].tolist()} != {*both[0][1, :8].tolist()}


def test_several_threads_get_the_captions_that_one_gets(captioner: Captioner) -> None:
    photos = [photo(number) for number in range(6)]
    alone = [captioner.captions(image) for image in photos]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(captioner.captions, photos * 2)) == alone * 2
    assert 1 <= len(captioner._writer._idle) <= 3 + 1


def test_an_error_in_the_search_leaves_the_writer_as_it_was(captioner: Captioner) -> None:
    before, memory = captioner.captions(photo(1)), captioner.look(photo(2))

    def fail() -> None:
        with captioner._writer.open(memory) as next_words:
            next_words(np.array([[PLAIN]]), np.array([0]))
            raise ZeroDivisionError

    idle = len(captioner._writer._idle)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(captioner._writer._idle) == idle
    assert captioner.captions(photo(1)) == before
