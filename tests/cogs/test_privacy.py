"""/privacy: what is stored is told, handed out and erased, and whoever wants to be left alone is."""

import json
import random
import sqlite3
import zipfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.client import TalkingPhotosBot
from bot.domain import Persona
from bot.settings import Settings
from bot.store.privacy import Privacy
from bot.ui.privacy_panel import counted
from tests.loopback.exchange import Exchange
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.offers import NotOffered
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

NOTHING = "I store nothing about you."
STORED = (
    "2 conversations about photos of yours, 1 message to somebody in a photo, 1 character of yours, 1 setting of yours"
)
SECRETS = ("Ada", "my secret plan", "Zorblax", "likes of Zorblax")


async def privacy(loopback: LoopbackDiscord, what: str, **options: str) -> Exchange:
    """Let Ada use /privacy; only she sees the answer."""
    done = await loopback.slash(loopback.ada, loopback.room, f"privacy {what}", **options)  # type: ignore[arg-type]
    assert done.ephemeral
    return done


async def ada_leaves_traces(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    """Let Ada post two photos, talk, make a character and choose it; Ben talks, too."""
    zorblax = Persona("", "Zorblax", "alien", catchphrase="likes of Zorblax")
    made = await bot.house.personas.add(zorblax, owner_id=loopback.ada.id, avatar=picture("blue"))
    await loopback.slash(loopback.ada, loopback.room, "persona use", persona=made.persona.id, scope="me")
    for author, colour in ((loopback.ada, "red"), (loopback.ada, "green"), (loopback.ben, "blue")):
        await loopback.post(loopback.room, author, loopback.mention, files=[("me.jpg", picture(colour))])
        opening = await loopback.next_answer()
    await loopback.post(loopback.room, loopback.ada, "this is my secret plan", reply_to=opening)
    await loopback.next_answer()
    await loopback.post(loopback.room, loopback.ben, "mine is another one", reply_to=opening)
    await loopback.next_answer()


def dump(settings: Settings) -> str:
    """Return all that the database holds as text."""
    path = make_url(settings.database_url).database
    assert path
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


def raw(settings: Settings) -> bytes:
    """Return the bytes of the closed database file."""
    path = Path(make_url(settings.database_url).database or "")
    assert not path.with_name(f"{path.name}-wal").exists()
    return path.read_bytes()


async def test_a_stranger_is_told_that_nothing_is_stored(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    lines = (await privacy(loopback, "show")).text.splitlines()
    assert lines[0] == NOTHING
    assert "after 30 days without a word" in lines[1]
    assert lines[2].startswith("/privacy export gives you all of it, /privacy forget-me erases it")
    assert len(lines) == 3


async def test_what_is_stored_is_counted_in_words(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await ada_leaves_traces(loopback, bot)
    assert (await privacy(loopback, "show")).text.splitlines()[0] == f"I store about you: {STORED}."


async def test_the_days_and_the_policy_are_the_owners(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings.model_copy(update={"retention_days": 7}), engine) as bot:
        assert bot.application
        bot.application.privacy_policy_url = "https://example.org/privacy"
        text = (await privacy(loopback, "show")).text
    assert "after 7 days without a word" in text
    assert text.endswith("\nMy owner's privacy policy: <https://example.org/privacy>")


def test_counts_in_words() -> None:
    assert counted({"conversations": 0, "opt_outs": 0}, "en-US") == ""
    assert counted({"personas": 3, "opt_outs": 1, "letters": 2}, "en-US") == (
        "3 characters of yours, your opt-out, 2 other entries"
    )
    assert counted({"turns": 1, "scopes": 2}, "zh-CN") == "1 条写给照片中人物的消息、你的 2 项设置"


async def test_the_export_is_json_and_holds_what_was_said(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await ada_leaves_traces(loopback, bot)
    done = await privacy(loopback, "export")
    assert done.kind == "deferred"
    assert done.text == "This is all I store about you."
    [file] = done.files
    assert file.name == "talking-photos-data.json"
    stored = json.loads(file.data)
    assert stored["user_id"] == str(loopback.ada.id)
    assert "this is my secret plan" in [turn["text"] for turn in stored["turns"]]
    assert [persona["name"] for persona in stored["personas"]] == ["Zorblax"]
    assert [talk["scene"]["caption"] for talk in stored["conversations"]] == ["a red picture", "a green picture"]
    assert stored["scopes"][0]["persona_id"] == stored["personas"][0]["id"]
    assert "mine is another one" not in file.data.decode()


async def test_an_export_that_is_too_large_is_zipped_or_refused(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: dict[str, object] = {"turns": ["word " * 3_000_000]}

    async def export(self: Privacy, user_id: int) -> dict[str, object]:
        return stored

    monkeypatch.setattr(Privacy, "export", export)
    [file] = (await privacy(loopback, "export")).files
    assert file.name == "talking-photos-data.zip"
    with zipfile.ZipFile(BytesIO(file.data)) as archive:
        assert json.loads(archive.read("talking-photos-data.json")) == stored
    stored["turns"] = [random.Random(0).randbytes(12_000_000).hex()]  # nothing makes this smaller
    assert (await privacy(loopback, "export")).text == (
        "What I store about you is larger than the 10 MB a file may have here; ask my owner for it."
    )


async def test_who_opts_out_is_left_alone_until_opting_in(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    async def post() -> None:
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("me.jpg", picture("red"))])

    said = (await privacy(loopback, "opt-out")).text
    assert said.startswith("From now on I leave your photos and messages alone, in every server.")
    assert "You have opted out: I leave your photos and messages alone." in (await privacy(loopback, "show")).text
    assert "I store about you: your opt-out." in (await privacy(loopback, "show")).text
    await post()
    assert "picture" not in (await loopback.next_answer()).content
    assert (await privacy(loopback, "opt-in")).text == "I answer your photos and messages again."
    assert (await privacy(loopback, "show")).text.startswith(NOTHING)
    await post()
    assert "red picture" in (await loopback.next_answer()).content


async def test_forget_me_asks_first(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await ada_leaves_traces(loopback, bot)
    asked = await privacy(loopback, "forget-me")
    assert asked.text.startswith(f"I would erase what I store about you, for good: {STORED}. ")
    assert (await privacy(loopback, "show")).text.startswith(f"I store about you: {STORED}.")
    assert asked.message
    with pytest.raises(NotOffered):
        await loopback.press(loopback.ben, asked.message, "Erase everything")


@pytest.mark.parametrize("stay_away", [False, True])
async def test_forget_me_leaves_nothing(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine, stay_away: bool
) -> None:
    async with loopback.running(settings, engine) as bot:
        await ada_leaves_traces(loopback, bot)
        before = dump(settings)
        assert all(secret in before for secret in (*SECRETS, str(loopback.ada.id)))
        asked = await privacy(loopback, "forget-me")
        assert asked.message
        label = "Erase everything and stay away" if stay_away else "Erase everything"
        pressed = await loopback.press(loopback.ada, asked.message, label)
        answer = await pressed.more()
        assert answer is asked.message
        then = (
            "From now on I leave your photos and messages alone; that wish is all I still store about you."
            if stay_away
            else "I answer you again when you post a photo."
        )
        assert answer.content == f"I erased {_sorted(STORED)}. {then}"
        assert not answer.components
        after = dump(settings)
        assert "mine is another one" in after  # what others may keep
        assert [secret for secret in SECRETS if secret in after] == []
        assert after.count(str(loopback.ada.id)) == stay_away
        text = (await privacy(loopback, "show")).text
        assert text.startswith("I store about you: your opt-out." if stay_away else NOTHING)
    file = raw(settings)
    assert b"mine is another one" in file
    assert [secret for secret in SECRETS if secret.encode() in file] == []


@pytest.mark.parametrize("stay_away", [False, True])
async def test_after_forgetting_it_answers_or_stays_away(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, stay_away: bool
) -> None:
    asked = await privacy(loopback, "forget-me")
    assert asked.message
    label = "Erase everything and stay away" if stay_away else "Erase everything"
    await (await loopback.press(loopback.ada, asked.message, label)).more()
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("me.jpg", picture("red"))])
    assert ("red picture" in (await loopback.next_answer()).content) is not stay_away


def _sorted(stored: str) -> str:
    """Return the counts in the order in which they are erased: settings first, conversations after messages."""
    talks, messages, characters, settings = stored.split(", ")
    return ", ".join((settings, messages, talks, characters))


async def test_forgetting_ends_an_opt_out_unless_told_otherwise(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await privacy(loopback, "opt-out")
    asked = await privacy(loopback, "forget-me")
    assert asked.message
    pressed = await loopback.press(loopback.ada, asked.message, "Erase everything")
    answer = await pressed.more()
    assert answer
    assert answer.content == "I erased your opt-out. I answer you again when you post a photo."
    assert not await bot.house.privacy.is_out(loopback.ada.id)


async def test_a_stranger_may_be_forgotten_too(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    asked = await privacy(loopback, "forget-me")
    assert asked.message
    assert "for good: nothing." in asked.text
    answer = await (await loopback.press(loopback.ada, asked.message, "Erase everything")).more()
    assert answer
    assert answer.content.startswith("I erased nothing, for there was nothing.")


@pytest.mark.parametrize("what", ["show", "export", "opt-out", "opt-in", "forget-me"])
async def test_they_work_in_direct_messages_and_as_a_users_own_app(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, what: str
) -> None:
    places = [
        (loopback.world.direct(loopback.ada), "both"),
        (loopback.world.private(loopback.ada, loopback.ben), "user"),
    ]
    for channel, installed in places:
        done = await loopback.slash(loopback.ada, channel, f"privacy {what}", installed=installed)
        assert done.ephemeral
        assert done.text


async def test_everything_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    async def said(name: str) -> Exchange:
        done = await loopback.slash(loopback.ada, loopback.room, f"隐私 {name}", locale="zh-CN")
        assert done.ephemeral
        return done

    await ada_leaves_traces(loopback, bot)
    lines = (await said("查看")).text.splitlines()
    assert lines[0] == (
        "我存储的关于你的内容：2 段关于你的照片的对话、1 条写给照片中人物的消息、你的 1 个角色、你的 1 项设置。"
    )
    assert lines[1].endswith("或在 30 天无人说话后删除。")
    assert lines[2].startswith("/隐私 导出 可以取得全部内容")
    exported = await said("导出")
    assert exported.text == "这就是我存储的关于你的全部内容。"
    assert json.loads(exported.files[0].data)["personas"]
    assert (await said("选择退出")).text.startswith("从现在起，在所有服务器里我都不再理会你的照片和消息。")
    assert (await said("选择加入")).text == "我又会回答你的照片和消息了。"
    asked = await said("忘记我")
    assert asked.message
    assert asked.text.startswith("我将永久删除我存储的关于你的内容：2 段")
    answer = await (
        await loopback.press(loopback.ada, asked.message, "全部删除，并且不再理会我", locale="zh-CN")
    ).more()
    assert answer
    assert answer.content.startswith("我删除了：你的 1 项设置、1 条")
    assert answer.content.endswith("从现在起我不再理会你的照片和消息；关于你，我只保留这一个愿望。")
