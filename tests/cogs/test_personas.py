"""/persona on the loopback Discord: look at characters and choose who speaks, in two languages."""

import re

import pytest

from bot.client import TalkingPhotosBot
from bot.domain import TRAITS, VOICES, Persona
from bot.speech.personas import built_in_avatar, load_personas
from bot.ui import persona_words as words
from tests.cogs.persona_steps import CHINESE, PIRATE, WholeCast, buttons, chosen, create, fields, shown
from tests.loopback.permissions import EVERYBODY, MANAGE_CHANNELS, MANAGE_GUILD
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel, User


@pytest.fixture
def engine() -> WholeCast:
    return WholeCast()


async def test_the_list_has_everybody_on_pages(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    await create(loopback, loopback.ada, "Old Salt")
    await create(loopback, loopback.ada, "Mascot", server=True)
    await create(loopback, loopback.ben, "Bens Secret")
    for number in range(40):
        one = Persona("x", f"Somebody of the server, number {number}")
        await bot.house.personas.add(one, owner_id=loopback.ben.id, guild_id=loopback.world.guild_id)
    message = shown(await loopback.slash(loopback.ada, loopback.room, "persona list"))
    assert message.content.startswith("The One in the Photo speaks here now.\n\n__Yours__\n**Old Salt**: Pirate, ")
    assert message.content.index("__This server's__\n**Mascot**") > message.content.index("Old Salt")
    assert buttons(message) == ["More"]
    pages = [message.content]
    while "More" in buttons(message):
        pages.append((await loopback.press(loopback.ada, message, "More")).text)
    assert pages[1].startswith("__This server's__\n")
    whole = "\n".join(pages)
    assert all(whole.count(f"**{persona.name}**: ") == 1 for persona in load_personas().values())
    assert "Bens Secret" not in whole
    assert all(len(page) < 2000 for page in pages)
    assert buttons(message) == ["Back"]
    assert (await loopback.press(loopback.ada, message, "Back")).text == pages[-2]


async def test_who_has_no_character_is_told_how_to_make_one(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.world.direct(loopback.ada), "persona list")
    assert "__Yours__\nNone yet; make one with /persona create." in done.text
    assert "This server's" not in done.text


async def test_show_tells_all_of_a_character(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="pirate")
    assert shown(done).content == (
        f"**{PIRATE}**: Pirate\nCatchphrase: Arr, and that's the truth of it!\n"
        "Greeting: Ahoy! State yer business and hide yer biscuits.\n"
        "Likes: brass buttons, a following wind, biscuits that were somebody else's\n"
        "About: A captain between ships who treats every photo as a port worth plundering.\n"
        "Built in.\nNot chosen here."
    )
    [file] = done.files
    assert (file.name, file.data) == ("character.jpg", built_in_avatar("pirate"))


async def test_show_finds_by_name_and_says_what_it_does_not_find(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="captain maribel SALTMARROW")
    assert PIRATE in done.text
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="pirat")
    assert shown(done).content == "There is no persona 'pirat'; did you mean pirate?"


async def test_show_tells_who_made_it_where_it_is_chosen_and_its_picture(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    summary = await create(loopback, loopback.ada, "Mascot", server=True)
    opened = await loopback.press(loopback.ada, summary, "Likes, description and picture")
    await (await loopback.submit(opened, {"Picture": ("me.png", picture("blue", "PNG"))})).more()
    for scope in ("me", "here", "server"):
        await loopback.slash(loopback.ada, loopback.room, "persona use", persona="Mascot", scope=scope)
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="Mascot")
    assert (
        f"Made for this server by <@{loopback.ada.id}>.\nChosen for this server, this channel, you alone."
        in shown(done).content
    )
    [file] = done.files
    assert file.name == "character.jpg"
    assert file.data.startswith(b"\xff\xd8")
    assert file.description == "Mascot"
    other = await loopback.slash(loopback.ben, loopback.room, "persona show", persona="Mascot")
    assert other.text.endswith("Chosen for this server, this channel.")


async def test_use_says_what_holds_and_what_overrides_it(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    thread = loopback.world.add_channel("a thread", parent=loopback.room)

    async def use(persona: str, scope: str | None = None, channel: Channel = loopback.room) -> str:
        options = {"persona": persona} | ({"scope": scope} if scope else {})
        return shown(await loopback.slash(loopback.ada, channel, "persona use", **options)).content

    assert await use("pirate", "server") == f"{PIRATE} is chosen for this server now."
    vampire, wizard = load_personas()["vampire"].name, load_personas()["wizard"].name
    assert await use("vampire", "here") == f"{vampire} is chosen for this channel now."
    assert await use("pirate", "server") == (
        f"{PIRATE} is chosen for this server now, but for this channel it is {vampire}."
    )
    assert await use("wizard") == f"{wizard} is chosen for you alone now."
    assert await use("vampire", "here") == (
        f"{vampire} is chosen for this channel now, but for you alone it is {wizard}."
    )
    assert await chosen(bot, loopback, loopback.ada) == wizard
    assert await chosen(bot, loopback, loopback.ben) == vampire
    assert await use("pirate", "here", thread) == (
        f"{PIRATE} is chosen for this thread now, but for you alone it is {wizard}."
    )
    assert await chosen(bot, loopback, loopback.ben, thread) == PIRATE
    assert await chosen(bot, loopback, loopback.ben) == vampire


async def test_reset_says_who_speaks_then(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    for persona, scope in (("pirate", "server"), ("vampire", "me")):
        await loopback.slash(loopback.ada, loopback.room, "persona use", persona=persona, scope=scope)
    done = await loopback.slash(loopback.ada, loopback.room, "persona reset")
    assert shown(done).content == (
        f"Nobody is chosen for you alone any more; {PIRATE} speaks, as chosen for this server."
    )
    done = await loopback.slash(loopback.ada, loopback.room, "persona reset", scope="server")
    assert shown(done).content == ("Nobody is chosen for this server any more; The One in the Photo speaks by default.")


@pytest.mark.parametrize("command", ["use", "reset"])
async def test_choosing_for_others_needs_permissions(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, command: str
) -> None:
    who = {"persona": "pirate"} if command == "use" else {}
    for scope, permission in (("here", "Manage Channels"), ("server", "Manage Server")):
        done = await loopback.slash(loopback.ada, loopback.room, f"persona {command}", scope=scope, **who)
        assert f"needs the permission {permission}; choose for yourself instead." in shown(done).content
    loopback.world.permissions[loopback.ben] = EVERYBODY | MANAGE_CHANNELS
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", scope="here", **who)
    assert "chosen for this channel" in done.text
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", scope="server", **who)
    assert "needs the permission Manage Server" in done.text
    assert await chosen(bot, loopback, loopback.ada) == (PIRATE if command == "use" else "The One in the Photo")


async def test_in_direct_messages_one_chooses_for_oneself(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    direct = loopback.world.direct(loopback.ada)
    done = await loopback.slash(loopback.ada, direct, "persona use", persona="pirate", scope="here")
    assert done.text == "Here you can choose only for yourself; leave out the scope."
    done = await loopback.slash(loopback.ada, direct, "persona use", persona="pirate")
    assert done.text == f"{PIRATE} is chosen for you alone now."
    assert await chosen(bot, loopback, loopback.ada, direct) == PIRATE
    assert await chosen(bot, loopback, loopback.ada) == "The One in the Photo"


async def test_who_was_chosen_answers_photos(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    async def voice() -> str:
        photo = await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("me.jpg", picture())])
        said = (await loopback.next_answer()).content
        await loopback.delete(photo)
        return said.split(", in a ")[1].split(" voice")[0]

    await create(loopback, loopback.ada, "Old Salt")
    assert await voice() == "self"
    await loopback.slash(loopback.ada, loopback.room, "persona use", persona="Old Salt")
    assert await voice() == "pirate"
    await loopback.slash(loopback.ada, loopback.room, "persona reset")
    assert await voice() == "self"


async def test_the_app_of_a_user_can_choose_where_the_bot_is_not(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    channel = loopback.world.private(loopback.ada, loopback.ben)
    done = await loopback.slash(loopback.ada, channel, "persona use", persona="pirate", installed="user")
    assert done.text == f"{PIRATE} is chosen for you alone now."


async def test_completion_offers_own_ones_first_and_finds_any_part(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    await create(loopback, loopback.ada, "Mascot", server=True)
    await create(loopback, loopback.ada, "Old Salt")
    await create(loopback, loopback.ben, "Bens")

    async def offered(command: str, typed: str, user: User = loopback.ada, locale: str = "en-US") -> list[str]:
        found = await loopback.complete(user, loopback.room, command, focused="persona", typed=typed, locale=locale)
        return [name for name, _ in found]

    everybody = await offered("persona use", "")
    assert everybody[:2] == ["Old Salt · Pirate, grumpy, shy", "Mascot · Pirate, grumpy, shy"]
    assert len(everybody) == 25
    assert await offered("persona show", " PIRAT") == [*everybody[:2], f"{PIRATE} · Pirate"]
    assert await offered("persona export", "maribel") == [f"{PIRATE} · Pirate"]
    assert await offered("persona use", "海盗", locale=CHINESE) == [
        "Old Salt · 海盗、脾气暴躁、害羞", "Mascot · 海盗、脾气暴躁、害羞", f"{PIRATE} · 海盗",
    ]  # fmt: skip
    assert await offered("persona edit", "") == everybody[:2]
    assert await offered("persona delete", "", loopback.ben) == ["Bens · Pirate, grumpy, shy"]
    assert await offered("persona use", "nobody is called so") == []
    [(_, value)] = await loopback.complete(
        loopback.ada, loopback.room, "persona use", focused="persona", typed="old salt"
    )
    done = await loopback.slash(loopback.ada, loopback.room, "persona use", persona=value)
    assert done.text == "Old Salt is chosen for you alone now."


async def test_long_and_formatted_texts_neither_break_nor_format_anything(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    texts = {"description": "_*~" * 600, "catchphrase": "||x" * 60, "greeting": "> # " * 99}
    wild = Persona("x", "_*" * 40, "commentator", ("sentimental", "rebellious", "suspicious"), **texts)
    for number in range(25):
        name = f"{number:02}" + "_*" * 39
        await bot.house.personas.add(Persona("x", name, wild.voice, wild.traits, **texts), owner_id=loopback.ada.id)
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="00" + "_*" * 39)
    assert not re.search(r"(?<!\\)[_~|>#]", shown(done).content.replace("**", "", 2).split("\n")[3])
    message = shown(await loopback.slash(loopback.ada, loopback.room, "persona list"))
    while "More" in buttons(message):
        await loopback.press(loopback.ada, message, "More")
        assert len(message.content) < 2000
    offered = await loopback.complete(loopback.ada, loopback.room, "persona use", focused="persona")
    assert all(len(name) <= 100 for name, _ in offered)


async def test_all_of_it_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    ada, room = loopback.ada, loopback.room
    loopback.world.permissions[ada] = EVERYBODY | MANAGE_GUILD
    ada.locale = CHINESE
    opened = await loopback.slash(ada, room, "角色 创建", 描述="脾气暴躁的海盗", 服务器=True)
    assert opened.modal
    assert opened.modal["title"] == "这是谁？"
    assert list(fields(opened)) == ["名字", "说话风格", "性格，最多三个", "口头禅", "开场白"]
    voices = opened.modal["components"][1]["component"]["options"]
    traits = opened.modal["components"][2]["component"]["options"]
    assert {option["label"] for option in voices} >= {"海盗", "吸血鬼"}
    for option in (*voices, *traits):
        assert re.fullmatch(r"[\u4e00-\u9fff]+", option["label"]), option
    refused = shown(await loopback.submit(opened, {"名字": PIRATE}))
    assert buttons(refused) == ["修改"]
    again = await loopback.press(ada, refused, "修改")
    await loopback.submit(again, {"名字": "老船长", "口头禅": "啊哈！"})
    assert (
        refused.content == "它现在是本服务器的角色：\n**老船长**：海盗、脾气暴躁\n口头禅：啊哈！\n简介：脾气暴躁的海盗"
    )
    assert buttons(refused) == ["选用", "喜好、描述和头像"]
    done = await loopback.slash(ada, room, "角色 选用", 角色="老船长", 范围="整个服务器")
    assert done.text == "本服务器现在选用“老船长”。"
    done = await loopback.slash(ada, room, "角色 查看", 角色="老船长")
    assert done.text.endswith(f"由 <@{ada.id}> 为本服务器创建。\n已选用于：本服务器。")
    done = await loopback.slash(ada, room, "角色 列表")
    assert done.text.startswith("现在这里由“老船长”说话。\n\n__你的角色__\n还没有；用 /角色 创建 来创建一个。")
    panel = shown(await loopback.slash(ada, room, "角色 编辑", 角色="老船长"))
    assert buttons(panel) == ["名字、风格和台词", "喜好、描述和头像", "选用"]
    details = await loopback.press(ada, panel, "喜好、描述和头像")
    assert fields(details)["健谈程度"] == ["一般"]
    await loopback.submit(details, {"喜好": "朗姆酒\n大海"})
    assert panel.content.startswith("已保存。\n")
    assert "喜好：朗姆酒、大海" in panel.content
    done = await loopback.slash(ada, room, "角色 重置", 范围="整个服务器")
    assert done.text == "本服务器不再选用任何角色；现在默认由“The One in the Photo”说话。"
    asked = shown(await loopback.slash(ada, room, "角色 删除", 角色="老船长"))
    assert asked.content == "要删除“老船长”吗？删除后无法恢复。"
    await loopback.press(ada, asked, "删除")
    assert asked.content == "“老船长”已删除。"
    done = await loopback.slash(ada, loopback.world.direct(ada), "角色 选用", 角色="pirate", 范围="此处")
    assert done.text == "在这里你只能为自己选择；请不要填写范围。"


async def test_every_voice_and_trait_has_a_name() -> None:
    assert set(words.VOICES) == set(VOICES)
    assert set(words.TRAITS) == set(TRAITS)
    assert len(set(words.VOICES.values())) == len(VOICES)
