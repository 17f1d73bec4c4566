"""/status tells how the bot fares and nothing of other servers; /help is true to where it is asked for."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot import __version__
from bot.client import TalkingPhotosBot
from bot.cogs import status
from bot.domain import Persona
from bot.settings import Settings
from bot.store.scopes import Place
from bot.store.tables import now
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel

ASK = "Post a photo and mention me ({me}), and whoever is in it answers you."
EVERY = "Post a photo here, and whoever is in it answers you: in this channel every photo is answered."
NEVER = "In this channel I stay silent; post a photo in another one and mention me ({me})."
GO_ON = "Reply to an answer, and the talk goes on."


async def facts(loopback: LoopbackDiscord, locale: str = "en-US") -> dict[str, str]:
    """Let Ben ask for /status and return what it says, by its bold titles."""
    done = await loopback.slash(loopback.ben, loopback.room, "status", locale=locale)
    assert done.ephemeral
    return dict(re.findall(r"\*\*([^*]+?)[:：]?\*\* ?(.*)", done.text))


async def advice(loopback: LoopbackDiscord, channel: Channel | None = None, **options: str) -> list[str]:
    """Let Ben ask for /help and return its lines."""
    done = await loopback.slash(loopback.ben, channel or loopback.room, "help", **options)  # type: ignore[arg-type]
    assert done.ephemeral
    lines = done.text.splitlines()
    assert all(line.startswith("- ") for line in lines)
    return [line.removeprefix("- ") for line in lines]


async def test_status_tells_how_the_bot_fares(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    told = await facts(loopback)
    assert told.pop(f"Talking Photos {__version__}") == ""
    since = re.fullmatch(r"<t:(\d+):R>", told.pop("Running since"))
    assert since
    assert abs(int(since[1]) - now().timestamp()) < 60
    assert re.fullmatch(r"\d+ ms|not measured yet", told.pop("Latency to Discord"))
    assert int(told.pop("Memory used").removesuffix(" MB")) > 10
    assert told == {
        "Servers": "1",
        "Models run on": "CPU",
        "Waiting for an answer": "0",
        "Answers of late take": "not measured yet",
        "Stored conversations": "0",
        "Characters people made": "0",
    }


async def test_status_counts_what_waits_and_what_is_stored(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "provider", "CUDA")
    files = [("me.jpg", picture("red"))]
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=files)
    await loopback.next_answer()
    bot.house.desk.recent_ms.clear()
    bot.house.desk.recent_ms.extend([100.0, 2345.0, 60_000.0])
    ghost = Persona("", "A Ghost", "vampire")
    await bot.house.personas.add(ghost, owner_id=loopback.ada.id)
    engine.gate.clear()
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=files)
    await loopback.until(lambda: engine.looked == 2)
    told = await facts(loopback)
    engine.gate.set()
    await loopback.next_answer()
    names = ("Models run on", "Waiting for an answer", "Answers of late take", "Stored conversations")
    assert [told[name] for name in names] == ["CUDA", "1", "2.3 s", "1"]
    assert told["Characters people made"] == "1"


async def test_status_says_nothing_of_other_servers(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings, engine) as bot:
        await bot.house.scopes.put("server", Place(4242, 43, None, 44), listen="every")
        done = await loopback.slash(loopback.ben, loopback.room, "status")
    assert not re.search(r"4242|Loopback", done.text)


async def test_status_without_a_measure_of_memory(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(status, "MEMORY", tmp_path / "nothing")
    assert (await facts(loopback))["Memory used"] == "not measured yet"


async def test_status_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    told = await facts(loopback, "zh-CN")
    assert (told["服务器数"], told["模型运行于"], told["近期回答用时"]) == ("1", "CPU", "尚未测得")
    assert (await loopback.slash(loopback.ben, loopback.room, "状态", locale="zh-CN")).text.startswith(
        "**Talking Photos"
    )


async def test_help_tells_a_newcomer_all_there_is(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    ids = {command.name: command.id for command in await bot.tree.fetch_commands()}
    assert await advice(loopback) == [
        ASK.format(me=loopback.mention),
        GO_ON,
        "Open the menu of any message with a photo, choose Apps, then **Make it talk** to have it answered.",
        "The buttons under an answer: **Again** has it said anew, **Someone else** lets someone else in the photo "
        "speak, **Persona** changes the character, **Delete** removes the answer.",
        f"</persona list:{ids['persona']}> shows the characters, </persona use:{ids['persona']}> chooses who speaks, "
        f"</persona create:{ids['persona']}> makes one of your own.",
        f"</portrait draw:{ids['portrait']}> draws somebody who does not exist; "
        f"</portrait morph:{ids['portrait']}> lets the face in a photo smile, or grow older.",
        f"I store no photos. </privacy show:{ids['privacy']}> tells what I know of you, "
        f"</privacy forget-me:{ids['privacy']}> erases it.",
    ]


async def test_help_names_only_what_there_is(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    text = "\n".join(await advice(loopback))
    known = {
        f"{command.name} {option.name}" for command in await bot.tree.fetch_commands() for option in command.options
    }
    assert set(re.findall(r"</([\w -]+):\d+>", text)) <= known


async def test_help_asks_for_the_ids_once(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    def asked() -> int:
        return sum(method == "GET" and path.endswith("/commands") for method, path in loopback.rest.requests)

    before = asked()
    first = await advice(loopback)
    assert await advice(loopback) == first
    assert asked() == before + 1


async def test_help_without_ids_names_the_commands_in_the_readers_language(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise OSError("no way to Discord")

    monkeypatch.setattr(bot.tree, "fetch_commands", fail)
    assert "/privacy show tells what I know of you, /privacy forget-me erases it." in (await advice(loopback))[-1]
    assert "/隐私 查看" in (await advice(loopback, locale="zh-CN"))[-1]
    monkeypatch.undo()
    assert "</privacy show:" in (await advice(loopback))[-1]


async def test_help_is_true_to_the_channel(loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine) -> None:
    me = loopback.mention
    named = loopback.world.add_channel("named")
    thread = loopback.world.add_channel("a thread", parent=named)
    adults = loopback.world.add_channel("adults", nsfw=True)
    place = Place(loopback.room.guild_id, loopback.room.id, None, loopback.ben.id)
    changes = {"channels": frozenset({named.id, adults.id})}
    async with loopback.running(settings.model_copy(update=changes), engine) as bot:

        async def first(channel: Channel) -> str:
            lines = await advice(loopback, channel)
            assert lines[1] == GO_ON
            return lines[0]

        assert [await first(channel) for channel in (named, thread, adults)] == [EVERY, EVERY, ASK.format(me=me)]
        await bot.house.scopes.put("channel", place, listen="every")
        assert await first(loopback.room) == EVERY
        await bot.house.scopes.put("channel", place, listen="never")
        assert await first(loopback.room) == NEVER.format(me=me)
        until = now() + timedelta(hours=1)
        await bot.house.scopes.put("channel", place, listen="every", paused_until=until)
        assert await first(loopback.room) == (
            f"In this channel I stay silent until <t:{int(until.timestamp())}:f>; "
            f"post a photo in another one and mention me ({me})."
        )
        assert await first(loopback.world.direct(loopback.ben)) == (
            "Send me a photo here, and whoever is in it answers you."
        )


async def test_help_where_only_its_user_brought_the_bot(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    for channel in (loopback.room, loopback.world.private(loopback.ada, loopback.ben)):
        lines = await advice(loopback, channel, installed="user")
        assert lines[0] == "Here I see only the photos that you show me."
        assert lines[1].startswith("Open the menu of any message with a photo, choose Apps")
        assert GO_ON not in lines


async def test_help_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    lines = await advice(loopback, locale="zh-CN")
    assert lines[0] == f"发一张照片并提及我（{loopback.mention}），照片里的人就会回答你。"
    assert lines[-1].startswith("我不存储照片。</privacy show:")
    done = await loopback.slash(loopback.ben, loopback.room, "帮助", locale="zh-CN")
    assert done.text.startswith("- 发一张照片")


@pytest.mark.parametrize(("measured", "told"), [(0.0421, "42 ms"), (41.275, "not measured yet")])
async def test_an_answer_that_overtook_its_heartbeat_is_no_latency(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch, measured: float, told: str
) -> None:
    monkeypatch.setattr(TalkingPhotosBot, "latency", measured)
    assert (await facts(loopback))["Latency to Discord"] == told


async def test_commands_are_called_as_the_sentences_that_name_them_in_every_kind_of_chinese(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    assert (await loopback.slash(loopback.ben, loopback.room, "状态", locale="zh-TW")).text.startswith("**Talking")
    assert "/隐私 选择退出" in (await loopback.slash(loopback.ben, loopback.room, "隐私 查看", locale="zh-TW")).text
    assert (await loopback.slash(loopback.ben, loopback.room, "status", locale="fi")).text.startswith("**Talking")
