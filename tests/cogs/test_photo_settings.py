"""/photos: what a server decides, told back by show, in force at once, and offered to nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from bot.client import TalkingPhotosBot
from bot.settings import Settings
from bot.store.scopes import Place
from bot.store.tables import now
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.offers import NotOffered
from tests.loopback.permissions import EVERYBODY, INVITED, MANAGE_GUILD, MANAGE_WEBHOOKS, SEND_MESSAGES
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel

DEFAULTS = """\
**Photos:** I answer those who mention me or reply to me (the default).
**Character:** The One in the Photo (from DEFAULT_PERSONA of my .env).
**Identity:** characters speak with their own name and picture (the default).
**Wait in a channel:** 0 s (the default).
**Wait for each user:** 0 s (from COOLDOWN of my .env)."""

WITHOUT_INTENT = (
    "As long as my owner has the Message Content Intent switched off, I see only messages that mention me or reply to "
    "me, and characters speak through plain replies."
)


@pytest.fixture(autouse=True)
def ada_manages(loopback: LoopbackDiscord) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD


async def photos(loopback: LoopbackDiscord, what: str, channel: Channel | None = None, **options: Any) -> str:
    """Let Ada use /photos and return the answer."""
    done = await loopback.slash(loopback.ada, channel or loopback.room, f"photos {what}", **options)
    assert done.ephemeral
    assert len(done.messages) == 1
    return done.text


async def pause(loopback: LoopbackDiscord, how_long: str, **options: Any) -> str:
    """Let Ada pause the bot; the option is called as a Python keyword is."""
    options["for"] = how_long
    return await photos(loopback, "pause", **options)


@pytest.mark.parametrize(
    ("what", "options", "said", "line"),
    [
        (
            "listen",
            {"mode": "every photo"},
            "I answer every photo in this channel from now on, and whoever mentions me or replies to me.",
            "**Photos:** every photo is answered (set for this channel).",
        ),
        (
            "listen",
            {"mode": "only when mentioned", "where": "the whole server"},
            "In this server I answer only those who mention me or reply to me.",
            "**Photos:** I answer those who mention me or reply to me (set for this server).",
        ),
        (
            "listen",
            {"mode": "never", "where": "here"},
            "I stay silent in this channel.",
            "**Photos:** I stay silent (set for this channel).",
        ),
        (
            "pause",
            {"for": "until resumed"},
            "I stay silent in this channel until somebody uses /photos resume.",
            "**Pause:** I stay silent until somebody uses /photos resume (set for this channel).",
        ),
        (
            "cooldown",
            {"seconds": 3600, "where": "the whole server"},
            "In each channel of this server I wait 3600 s between two answers.",
            "**Wait in a channel:** 3600 s (set for this server).",
        ),
        (
            "cooldown",
            {"seconds": 0},
            "In this channel I do not wait between two answers.",
            "**Wait in a channel:** 0 s (set for this channel).",
        ),
        (
            "identity",
            {"kind": "a plain reply of mine"},
            "Characters speak in this channel through plain replies of mine, with their name in bold.",
            "**Identity:** characters speak through plain replies of mine (set for this channel).",
        ),
        (
            "identity",
            {"kind": "the character's name and picture", "where": "the whole server"},
            "Characters speak in this server with their own name and picture.",
            "**Identity:** characters speak with their own name and picture (set for this server).",
        ),
    ],
)
async def test_what_is_set_is_told_and_shown(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, what: str, options: dict[str, Any], said: str, line: str
) -> None:
    assert await photos(loopback, what, **options) == said
    assert line in (await photos(loopback, "show")).splitlines()
    assert "any more" in await photos(loopback, "reset", where=options.get("where", "here"))
    assert await photos(loopback, "show") == DEFAULTS


async def test_everything_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    async def said(name: str, **options: Any) -> str:
        done = await loopback.slash(loopback.ada, loopback.room, f"照片 {name}", locale="zh-CN", **options)
        assert done.ephemeral
        return done.text

    assert await said("应答", 方式="每张照片") == "从现在起，我会回答本频道里的每张照片，也会回答提及我或回复我的人。"
    assert await said("暂停", 时长="直到恢复") == "我在本频道保持沉默，直到有人使用 /照片 恢复。"
    assert await said("恢复") == "本频道不再设有暂停。"
    assert await said("冷却", 秒数=20, 范围="整个服务器") == "在本服务器的每个频道，我在两次回答之间等待 20 秒。"
    assert await said("身份", 形式="我的普通回复") == "角色在本频道会通过我的普通回复说话，名字用粗体显示。"
    assert (await said("查看")).splitlines() == [
        "**照片：**每张照片都会得到回答（由本频道设置）。",
        "**角色：**The One in the Photo（来自我的 .env 中的 DEFAULT_PERSONA）。",
        "**身份：**角色通过我的普通回复说话（由本频道设置）。",
        "**频道等待：**20 秒（由本服务器设置）。",
        "**每位用户等待：**0 秒（来自我的 .env 中的 COOLDOWN）。",
    ]
    assert await said("重置") == "本频道不再有任何照片设置。\n这里以本服务器的设置为准；详情请看 /照片 查看。"


@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("listen", {"mode": "never"}),
        ("pause", {"for": "a day"}),
        ("resume", {}),
        ("cooldown", {"seconds": 1}),
        ("identity", {"kind": "a plain reply of mine"}),
        ("reset", {}),
        ("show", {}),
    ],
)
async def test_only_those_who_manage_the_server_are_offered_them(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, what: str, options: dict[str, Any]
) -> None:
    with pytest.raises(NotOffered, match="Ben lacks the permissions"):
        await loopback.slash(loopback.ben, loopback.room, f"photos {what}", **options)
    with pytest.raises(NotOffered):
        await loopback.slash(loopback.ada, loopback.world.direct(loopback.ada), f"photos {what}", **options)
    with pytest.raises(NotOffered):
        await loopback.slash(loopback.ada, loopback.room, f"photos {what}", installed="user", **options)


@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("cooldown", {"seconds": -1}),
        ("cooldown", {"seconds": 3601}),
        ("cooldown", {"seconds": 1.5}),
        ("cooldown", {}),
        ("listen", {"mode": "sometimes"}),
        ("listen", {"mode": "never", "where": "everywhere"}),
        ("pause", {"for": "two years"}),
        ("identity", {"kind": "a ghost"}),
    ],
)
async def test_wrong_values_cannot_be_sent(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, what: str, options: dict[str, Any]
) -> None:
    with pytest.raises(NotOffered):
        await photos(loopback, what, **options)


async def test_the_narrower_scope_decides(loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine) -> None:
    thread = loopback.world.add_channel("a thread", parent=loopback.room)
    other = loopback.world.add_channel("other")
    async with loopback.running(settings, engine):
        await photos(loopback, "listen", mode="never", where="the whole server")
        await photos(loopback, "listen", mode="every photo")
        assert await photos(loopback, "listen", thread, mode="only when mentioned") == (
            "In this thread I answer only those who mention me or reply to me."
        )
        firsts = [(await photos(loopback, "show", place)).splitlines()[0] for place in (other, loopback.room, thread)]
        assert firsts == [
            "**Photos:** I stay silent (set for this server).",
            "**Photos:** every photo is answered (set for this channel).",
            "**Photos:** I answer those who mention me or reply to me (set for this thread).",
        ]
        await photos(loopback, "reset", thread)
        assert (await photos(loopback, "show", thread)).splitlines()[0] == firsts[1]


async def test_a_setting_that_does_not_hold_here_says_so(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await photos(loopback, "cooldown", seconds=5)
    assert await photos(loopback, "cooldown", seconds=9, where="the whole server") == (
        "In each channel of this server I wait 9 s between two answers.\n"
        "What is set for this channel holds here; /photos show tells more."
    )
    await pause(loopback, "a day", where="the whole server")
    for said in (await photos(loopback, "resume"), await photos(loopback, "listen", mode="every")):
        assert said.endswith("\nWhat is set for this server holds here; /photos show tells more.")


@pytest.mark.parametrize(
    ("choice", "minutes"), [("15 minutes", 15), ("1 hour", 60), ("8 hours", 8 * 60), ("a day", 24 * 60)]
)
async def test_a_pause_has_an_end(loopback: LoopbackDiscord, bot: TalkingPhotosBot, choice: str, minutes: int) -> None:
    place = Place(loopback.room.guild_id, loopback.room.id, None, loopback.ada.id)
    said = await pause(loopback, choice)
    until = (await bot.house.scopes.resolve(place)).paused_until
    assert until
    assert abs(until - now() - timedelta(minutes=minutes)) < timedelta(seconds=30)
    assert said == f"I stay silent in this channel until <t:{int(until.timestamp())}:f>."
    assert f"**Pause:** I stay silent until <t:{int(until.timestamp())}:f> (set for this channel)." in await photos(
        loopback, "show"
    )
    await bot.house.scopes.put("channel", place, paused_until=now())
    assert "**Pause:**" not in await photos(loopback, "show")


async def test_settings_hold_at_once(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    async def post(text: str = "") -> None:
        await loopback.post(loopback.room, loopback.ben, text, files=[("me.jpg", picture("red"))])

    await post()
    await loopback.silence()
    await photos(loopback, "listen", mode="every photo")
    await post()
    assert (await loopback.next_answer()).webhook_id
    await photos(loopback, "identity", kind="a plain reply of mine")
    await post()
    assert (await loopback.next_answer()).content.startswith("**The One in the Photo:** ")
    await pause(loopback, "until resumed")
    await post()
    await post(loopback.mention)
    await loopback.silence()
    await photos(loopback, "resume")
    await post()
    await loopback.next_answer()
    await photos(loopback, "listen", mode="never")
    await post()
    await post(loopback.mention)
    await loopback.silence()


async def test_missing_permissions_are_named(loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine) -> None:
    closed = loopback.world.add_channel("closed", denied=MANAGE_WEBHOOKS)
    mute = loopback.world.add_channel("mute", denied=SEND_MESSAGES)
    warning = "As long as I lack the permission Manage Webhooks, characters speak through plain replies."
    own: dict[str, Any] = {"kind": "the character's name and picture"}
    async with loopback.running(settings, engine):
        assert (await photos(loopback, "identity", closed, **own)).endswith(f"picture.\n{warning}")
        assert (await photos(loopback, "show", closed)).endswith(f"\n{warning}")
        assert warning not in await photos(loopback, "identity", closed, where="the whole server", **own)
        assert warning not in await photos(loopback, "identity", closed, kind="a plain reply of mine")
        assert warning not in await photos(loopback, "show", closed)
        assert (await photos(loopback, "show", mute)).endswith(
            "\nI lack the permission Send Messages here, so I cannot answer."
        )
        chinese = await loopback.slash(loopback.ada, closed, "photos identity", locale="zh-CN", **own)
        assert chinese.text.endswith("\n只要我还没有“管理 Webhook”权限，角色就通过我的普通回复说话。")
    loopback.world.guild.bot_permissions = INVITED & ~MANAGE_WEBHOOKS
    async with loopback.running(settings, engine):
        assert (await photos(loopback, "identity", where="the whole server", **own)).endswith(warning)


async def test_without_the_content_intent_every_photo_is_promised_to_nobody(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings, engine, read_content=False):
        for said in (await photos(loopback, "listen", mode="every photo"), await photos(loopback, "show")):
            assert said.endswith(WITHOUT_INTENT)
        assert (await photos(loopback, "identity", kind="the character's name and picture")).endswith(WITHOUT_INTENT)
        assert WITHOUT_INTENT not in await photos(loopback, "listen", mode="only when mentioned")
        assert WITHOUT_INTENT not in await photos(loopback, "identity", kind="a plain reply of mine")
        assert WITHOUT_INTENT not in await photos(loopback, "show")


async def test_every_photo_is_promised_in_no_age_restricted_channel(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    adults = loopback.world.add_channel("adults", nsfw=True)
    async with loopback.running(settings, engine):
        await photos(loopback, "listen", where="the whole server", mode="every photo")
        assert (await photos(loopback, "show", adults)).endswith(
            "\nThis channel is age-restricted, so I answer photos here only when I am asked to."
        )
        assert "age-restricted" not in await photos(loopback, "show")


async def test_the_settings_of_the_env_file_are_shown_as_such(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    thread = loopback.world.add_channel("a thread", parent=loopback.room)
    changes = {"channels": frozenset({loopback.room.id}), "cooldown": 2.5, "default_persona": "pirate"}
    async with loopback.running(settings.model_copy(update=changes), engine):
        for place in (loopback.room, thread):
            assert await photos(loopback, "show", place) == (
                "**Photos:** every photo is answered (from CHANNELS of my .env).\n"
                "**Character:** Captain Barnacle (from DEFAULT_PERSONA of my .env).\n"
                "**Identity:** characters speak with their own name and picture (the default).\n"
                "**Wait in a channel:** 0 s (the default).\n"
                "**Wait for each user:** 2.5 s (from COOLDOWN of my .env)."
            )
