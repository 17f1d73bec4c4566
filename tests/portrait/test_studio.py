"""Characters drawn and faces changed by the shipped models."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.demo import sample_photo
from bot.domain import BadInput, Box
from bot.portrait.artist import Artist, agreement
from bot.portrait.morpher import CHANGES, SIDE, STEPS
from bot.portrait.pictures import DRAWN, LABEL
from bot.portrait.studio import Studio
from bot.portrait.wishes import Wish
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.face_reader import FaceReader
from bot.vision.photo import Photo, decode, open_photo
from bot.vision.pixels import to_batch


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(Bundle(), provider="cpu", threads=1)


@pytest.fixture(scope="module")
def photo() -> Photo:
    return open_photo(sample_photo())


def frames_of(gif: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(gif)) as opened:
        frames = []
        for number in range(opened.n_frames):  # type: ignore[attr-defined]
            opened.seek(number)
            frames.append(np.asarray(opened.convert("RGB"), np.int16))
        return frames


def test_the_same_seed_is_the_same_face_and_another_somebody_else(studio: Studio) -> None:
    wish = Wish("adult", "female", "happy")
    first, again, other = (np.asarray(studio.artist.draw(wish, seed).image, np.int16) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 10
    assert first.shape == (128, 128, 3)


def test_a_face_is_the_same_alone_and_among_others(studio: Studio) -> None:
    wish = Wish("adult", "male", "neutral")
    alone = np.asarray(studio.artist.draw(wish, 3).image, np.int16)
    among = np.asarray(studio.artist.draw_many([wish] * 4, [1, 2, 3, 4])[2], np.int16)
    assert np.abs(alone - among).max() <= 2


@pytest.mark.parametrize("part", [{"age": "child"}, {"gender": "male"}, {"mood": "happy"}])
def test_each_part_of_a_wish_changes_the_face(studio: Studio, part: dict[str, str]) -> None:
    wish = Wish("senior", "female", "neutral")
    before, after = (np.asarray(studio.artist.draw(one, 5).image, np.int16) for one in (wish, replace(wish, **part)))
    assert np.abs(before - after).mean() > 2


def test_drawn_faces_are_found_by_the_bots_own_eyes_and_smile_when_asked(studio: Studio) -> None:
    reader = FaceReader(Session(Bundle().model("face_reader"), provider="cpu", threads=1))
    found, happy = 0, {"happy": 0, "neutral": 0}
    for seed in range(12):
        for mood in happy:
            drawn = decode(studio.draw(Wish("adult", "female", mood), seed).picture)
            if faces := studio.faces(drawn):
                found += 1
                happy[mood] += reader.read(drawn.image, faces[:1])[0].expression == "happy"
    assert found >= 20
    assert happy["happy"] > happy["neutral"] + 4


def test_drawings_say_that_they_are_generated_to_people_and_to_programs(studio: Studio) -> None:
    drawing = studio.draw(Wish(), 1)
    assert drawing.wish.age
    picture, avatar = (Image.open(io.BytesIO(file)) for file in (drawing.picture, drawing.avatar))
    assert (picture.format, avatar.format) == ("PNG", "JPEG")
    assert picture.size == avatar.size == (256, 256)
    for file in (drawing.picture, drawing.avatar):
        assert DRAWN.encode() in file
    corner = np.asarray(picture.convert("RGB"), np.int16)[-18:, :90]
    assert np.abs(corner - np.asarray(avatar.convert("RGB"), np.int16)[-18:, :90]).mean() > 15, f"{LABEL} is not there"
    assert "Seed 1" in picture.info["Comment"]


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_morph_begins_and_ends_with_the_photo_and_changes_only_the_face(
    studio: Studio, photo: Photo, change: str
) -> None:
    gif = studio.morph(photo, change, studio.face(photo))
    frames = frames_of(gif)
    assert 2 * STEPS - 2 <= len(frames) <= 2 * STEPS
    assert frames[0].shape == (SIDE, SIDE, 3)
    moved = np.abs(frames[STEPS] - frames[0]).mean(2)
    rim = np.concatenate([moved[:20].ravel(), moved[:, :20].ravel(), moved[:, -20:].ravel()])
    assert moved[100:220, 100:220].mean() > 3 * max(rim.mean(), 0.3)
    assert np.abs(frames[-1] - frames[0]).mean() < moved.mean()
    assert len(gif) < 2_000_000


def test_a_photo_without_a_human_face_is_refused(studio: Studio) -> None:
    meadow = Image.new("RGB", (640, 480), "skyblue")
    ImageDraw.Draw(meadow).rectangle((0, 300, 640, 480), fill="forestgreen")
    with pytest.raises(BadInput, match="no face"):
        studio.face(Photo(meadow, 640, 480))
    with pytest.raises(BadInput, match="no face"):
        studio.face_in(Photo(meadow, 640, 480), Box(200, 100, 200, 200))


def test_faces_are_counted_from_one_for_people(studio: Studio, photo: Photo) -> None:
    with pytest.raises(BadInput, match=r"no face 9 .* 1 to 1"):
        studio.face(photo, 8)


def test_a_tiny_face_is_refused(studio: Studio, photo: Photo) -> None:
    small = photo.image.resize((photo.image.width // 8, photo.image.height // 8))
    canvas = Image.new("RGB", (480, 480), "grey")
    canvas.paste(small)
    seen = Photo(canvas, 480, 480)
    faces = studio.faces(seen)
    refused = "too small" if faces else "no face"
    with pytest.raises(BadInput, match=refused):
        studio.morph(seen, "smile", studio.face(seen))


def test_a_box_means_the_face_in_it_and_no_other(studio: Studio, photo: Photo) -> None:
    pair = Image.new("RGB", (2 * photo.image.width, photo.image.height))
    pair.paste(photo.image, (0, 0))
    pair.paste(photo.image.resize((photo.image.width * 3 // 4, photo.image.height * 3 // 4)), (photo.image.width, 0))
    twice = Photo(pair, 2 * pair.width, 2 * pair.height)  # as if it had been shrunk
    large, small = studio.faces(twice)
    assert studio.face_in(twice, twice.to_original(small.box)) == small
    assert studio.face_in(twice, twice.to_original(large.box)) == large
    with pytest.raises(BadInput, match="no face"):
        studio.face_in(twice, Box(0, 0, 40, 40))


def test_two_threads_load_the_models_once() -> None:

    fresh = Studio(Bundle(), provider="cpu", threads=1)
    with ThreadPoolExecutor(2) as pool:
        artists = list(pool.map(lambda _: fresh.artist, range(2)))
    assert artists[0] is artists[1]


def test_of_several_faces_the_one_is_shown_that_is_read_as_wished() -> None:
    bundle = Bundle()
    generator, reader = (Session(bundle.model(name), provider="cpu", threads=1) for name in ("gan", "face_reader"))
    wish = Wish("senior", "male", "happy")
    wishes, seeds = [wish] * 12, list(range(12))
    conditions = np.repeat([wish.numbers()], 12, axis=0)

    def odds(artist: Artist) -> np.ndarray:
        return agreement(reader.run({"faces": to_batch(artist.draw_many(wishes, seeds))}), conditions)

    chosen, first = odds(Artist(generator, reader)), odds(Artist(generator))
    assert (chosen >= first - 1e-4).all()
    assert (chosen > first + 1e-4).sum() > 3


def test_agreement_is_the_chance_of_all_that_was_wished() -> None:
    read = {
        "age_band": np.array([[0, 0, 0, 0.2, 0.3, 0, 0, 0.25, 0.25]]),
        "gender": np.array([[0.9, 0.1]]),
        "expression": np.array([[0.4, 0.3, 0.3, 0, 0, 0, 0]]),
    }
    young, old = ([Wish(age, "male", "neutral").numbers()] for age in ("young adult", "senior"))
    assert np.exp(agreement(read, np.array(young))[0]) == pytest.approx(0.5 * 0.9 * 0.6, rel=1e-5)
    assert np.exp(agreement(read, np.array(old))[0]) == pytest.approx(0.5 * 0.9 * 0.6, rel=1e-5)
    unlikely = np.array([Wish("child", "male", "neutral").numbers()])
    assert np.exp(agreement(read, unlikely)[0]) == pytest.approx(1e-3 * 0.9 * 0.6, rel=1e-5)
