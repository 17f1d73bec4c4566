"""The command line on real photos and the shipped models, as a user runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from bot.__main__ import load_engine, main
from bot.app import TalkingPhotos
from bot.demo import PERSONAS, sample_photo
from bot.demo import main as demo
from bot.domain import AGES, EXPRESSIONS, VOICES, WHERES, WHO
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
SOURCES = {"generated", "framed", "recalled", "fallback"}
LOAD = "bot.__main__.load_engine"


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env of the developer's, no token, a database of this test's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISCORD_TOKEN", "CHANNELS", "DEFAULT_PERSONA", "PROVIDER", "THREADS", "BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/bot.db")


@pytest.fixture(scope="module")
def load_once() -> Callable[[Settings], TalkingPhotos]:
    """Load the models as the commands do, but those of one bundle only once; nothing of a talk stays in an engine."""
    engines: dict[tuple[object, ...], TalkingPhotos] = {}

    def load(settings: Settings) -> TalkingPhotos:
        about = (settings.bundle, settings.provider, settings.threads, settings.workers)
        if about not in engines:
            engines[about] = load_engine(settings)
        return engines[about]

    return load


@pytest.fixture(autouse=True)
def one_engine(monkeypatch: pytest.MonkeyPatch, load_once: Callable[[Settings], TalkingPhotos]) -> None:
    monkeypatch.setattr(LOAD, load_once)


@pytest.fixture(scope="session")
def portrait() -> Path:
    return sample_photo()


@pytest.fixture(scope="session")
def photos(portrait: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One person, two people, nobody."""
    folder = tmp_path_factory.mktemp("photos")
    one = Image.open(portrait).convert("RGB")
    two = Image.new("RGB", (one.width * 2, one.height), "white")
    two.paste(one, (0, 0))
    two.paste(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (one.width, 0))
    two.save(folder / "two.png")
    field = Image.new("RGB", (640, 480), "skyblue")
    ImageDraw.Draw(field).rectangle((0, 300, 640, 480), fill="forestgreen")
    field.save(folder / "nobody.jpg")
    return {"one": portrait, "two": folder / "two.png", "nobody": folder / "nobody.jpg"}


def reply(capsys: pytest.CaptureFixture[str], photo: Path, *more: str) -> dict[str, Any]:
    assert main(["reply", str(photo), "--json", *more]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return dict(json.loads(printed.out))


def check_contract(answer: dict[str, Any]) -> None:
    assert set(answer) == {"scene", "persona", "speaker", "reply", "source", "timings_ms"}
    assert set(answer["scene"]) == {"caption", "people"}
    assert len(answer["scene"]["caption"].split()) >= 3
    assert 1 <= len(answer["scene"]["people"]) <= 4
    for person in answer["scene"]["people"]:
        assert set(person) == {"who", "age", "expression", "where", "box", "score"}
        assert person["who"] in WHO
        assert person["age"] in AGES
        assert person["expression"] in EXPRESSIONS
        assert person["where"] in WHERES
        assert person["box"] is None or (len(person["box"]) == 4 and min(person["box"][2:]) > 0)
        assert 0 <= person["score"] <= 1
    assert answer["source"] in SOURCES
    assert 3 <= len(answer["reply"].split()) <= 60
    stages = {name: value for name, value in answer["timings_ms"].items() if name != "total"}
    assert {"decode", "detect", "caption", "read", "facts", "generate", "rank"} <= set(stages)
    assert answer["timings_ms"]["total"] == pytest.approx(sum(stages.values()), abs=0.1)


def test_a_portrait_is_seen_and_answers(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    answer = reply(capsys, photos["one"], "--persona", "pirate", "--seed", "1")
    check_contract(answer)
    (person,) = answer["scene"]["people"]
    assert person["who"] in {"man", "woman", "person"}
    assert person["age"] in {"adult", "senior"}
    x, y, w, h = person["box"]
    assert x < 260 < x + w, "the box is on the face of the 512 x 600 portrait"
    assert y < 170 < y + h
    assert answer["persona"] == "pirate"


@pytest.mark.xfail(strict=True, reason="the first face reader and captioner take Grace Hopper for a man")
def test_the_portrait_is_a_woman(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert [person["who"] for person in reply(capsys, photos["one"])["scene"]["people"]] == ["woman"]


def test_two_people_are_two_speakers(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    answer = reply(capsys, photos["two"], "--speaker", "1")
    check_contract(answer)
    assert len(answer["scene"]["people"]) == 2
    assert {person["where"] for person in answer["scene"]["people"]} == {"left", "right"}
    assert answer["speaker"] == 1


def test_nobody_in_the_photo_still_gets_a_word(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    answer = reply(capsys, photos["nobody"], "--persona", "poet")
    check_contract(answer)
    assert all(person["box"] is None for person in answer["scene"]["people"])


def test_a_persona_may_be_described(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    answer = reply(capsys, photos["one"], "--persona", "a grumpy retired sea captain", "--seed", "1")
    assert answer["persona"] == "described"
    named = reply(capsys, photos["one"], "--persona", "The One in the Photo", "--seed", "1")
    assert named["persona"] == "self"  # a name is a name first, however long


def test_the_same_seed_says_the_same(
    photos: dict[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reply(capsys, photos["one"], "--persona", "bard", "--seed", "5")
    monkeypatch.setattr(LOAD, load_engine)  # in another process the engine is another
    again = reply(capsys, photos["one"], "--persona", "bard", "--seed", "5")
    assert first["reply"] == again["reply"]


def test_the_picture_shows_the_exchange(
    photos: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = reply(capsys, photos["one"], "--persona", "pirate", "--picture", str(tmp_path / "out.png"))
    check_contract(answer)
    with Image.open(photos["one"]) as photo, Image.open(tmp_path / "out.png") as drawn:
        assert drawn.width == photo.width
        assert drawn.height > photo.height + 60, "a bubble and a caption beside the photo"


def test_turns_are_answered(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    opening = reply(capsys, photos["one"], "--persona", "cowboy", "--seed", "2")
    answer = reply(capsys, photos["one"], "--persona", "cowboy", "--seed", "2", "--turn", "hi", "what's your name?")
    check_contract(answer)
    assert answer["reply"] != opening["reply"]


def test_every_voice_answers(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["personas"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(listed) == len(VOICES)
    said = {reply(capsys, photos["one"], "--persona", name, "--seed", "3")["reply"] for name in listed[::4]}
    assert len(said) == len(listed[::4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reply", "nowhere.jpg"], "nowhere.jpg"),
        (["reply", "PORTRAIT", "--persona", "pyrate"], "pirate"),
        (["reply", "PORTRAIT", "--speaker", "7"], "speaker 7"),
        (["reply", "TEXT"], "photo"),
        (["reply", "PORTRAIT", "--picture", "out.bmp"], ".png"),
        (["reply", "PORTRAIT", "--picture", "nowhere/out.png"], "no folder nowhere"),
        (["chat", "TEXT"], "photo"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    arguments: list[str], message: str, portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    known = {"PORTRAIT": str(portrait), "TEXT": str(tmp_path / "text.jpg")}
    assert main([known.get(word, word) for word in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_run_without_a_token_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 2
    assert "DISCORD_TOKEN" in capsys.readouterr().err


def test_a_damaged_bundle_is_one_sentence_and_status_1(
    portrait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bundle").mkdir()
    monkeypatch.setenv("BUNDLE", str(tmp_path / "bundle"))
    assert main(["reply", str(portrait)]) == 1
    assert "manifest.json" in capsys.readouterr().err


def test_chat_keeps_talking_until_an_empty_line(
    portrait: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["hello there", "who are you?", ""])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    assert main(["chat", str(portrait), "--persona", "wizard", "--seed", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(":" in line and not line.startswith(" ") for line in lines) == 3


def test_the_doctor_finds_all_well_but_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("FAIL")] == ["discord"]


def test_the_demo_shows_three_personas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bot.demo"])
    assert demo() == 0
    printed = capsys.readouterr().out
    assert printed.count(" ms\n") >= 1 + len(PERSONAS)


def test_the_bot_runs_without_torch_in_reach(portrait: Path) -> None:
    """Replies in a fresh process in which importing torch, onnx or the training code fails."""
    forbid = "import sys; sys.modules.update(dict.fromkeys(['torch', 'onnx', 'models', 'export']));"
    code = f"{forbid} from bot.__main__ import main; sys.exit(main(['reply', {str(portrait)!r}, '--json']))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    check_contract(json.loads(done.stdout))


def test_portrait_draws_what_is_described_and_tells_how_to_draw_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["portrait", "a cheerful old man", "--seed", "7", "--out", "first.png"]) == 0
    assert "senior, male, happy" in capsys.readouterr().out
    assert main(["portrait", "an old man", "--mood", "happy", "--seed", "7", "--out", "again.png"]) == 0
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert main(["portrait"]) == 0
    seed = capsys.readouterr().out.split("--seed ")[-1].split(".")[0]
    assert main(["portrait", "--seed", seed, "--out", "same.png"]) == 0
    assert (tmp_path / "portrait.png").read_bytes() == (tmp_path / "same.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["portrait", "--seed", "-1"], "seed"),
        (["portrait", "--out", "face.gif"], ".png"),
        (["morph", "{photo}", "--out", "face.png"], ".gif"),
        (["morph", "{photo}", "--face", "3"], "choose 1 to 1"),
        (["morph", "nowhere.jpg"], "no file"),
    ],
)
def test_wrong_portraits_are_one_sentence(
    portrait: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert main([one.format(photo=portrait) for one in arguments]) == 2
    said = capsys.readouterr().err
    assert problem in said
    assert len(said.strip().splitlines()) == 1


def test_morph_writes_a_looping_picture_and_leaves_the_photo(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = portrait.read_bytes()
    assert main(["morph", str(portrait), "--change", "older"]) == 0
    assert "morph.gif" in capsys.readouterr().out
    with Image.open(tmp_path / "morph.gif") as gif:
        assert gif.info["loop"] == 0
        assert gif.n_frames > 10  # type: ignore[attr-defined]
    assert portrait.read_bytes() == before
