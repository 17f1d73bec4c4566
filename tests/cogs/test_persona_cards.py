"""/persona import and export on the loopback Discord: cards come in, are told about, and go out equal."""

import json
import re
from typing import Any

import pytest

from bot.client import TalkingPhotosBot
from bot.domain import Persona
from bot.speech.cards import MAX_CARD_BYTES, read_card
from tests.character_cards import V1, V2, V3, json_card, picture, png_card, png_with, text_chunk, texts_of
from tests.cogs.persona_steps import CHINESE, WholeCast, buttons, fields, only, shown
from tests.loopback.exchange import Exchange
from tests.loopback.messages import Message
from tests.loopback.permissions import EVERYBODY, MANAGE_GUILD
from tests.loopback.server import LoopbackDiscord

SENTENCE = re.compile(r"[A-Z][^.!?\n]+\.")


@pytest.fixture
def engine() -> WholeCast:
    return WholeCast()


async def bring(loopback: LoopbackDiscord, data: bytes, name: str = "card.png", **options: Any) -> Message:
    """Let Ada import a card, and return the answer."""
    done = await loopback.slash(loopback.ada, loopback.room, "persona import", file=(name, data), **options)
    assert done.kind == "deferred"
    return shown(done)


async def take(loopback: LoopbackDiscord, persona: str, **options: str) -> Exchange:
    """Let Ada export a character."""
    done = await loopback.slash(loopback.ada, loopback.room, "persona export", persona=persona, **options)
    assert done.kind == "deferred"
    return done


async def test_import_tells_what_became_of_the_card(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    answer = await bring(loopback, png_card(V2))
    assert answer.content.startswith(
        "This is a character of yours now:\n**Vera Holt**: Detective, sarcastic, suspicious\n"
    )
    assert re.search(
        r"\nFrom the card: name → Vera Holt; .*personality.* → Detective, sarcastic, suspicious; ", answer.content
    )
    assert "first\\_mes → greeting" in answer.content
    kept = re.search(r"\nKept for export, but not used: (.*)\.$", answer.content)
    assert kept
    assert "alternate\\_greetings" in kept[1]
    assert "extensions.chub" in kept[1]
    assert buttons(answer) == ["Use it", "Edit"]
    persona = await only(bot, loopback.ada)
    own = await bot.house.personas.own(persona.id)
    assert own
    assert own.card == {"spec": "chara_card_v2", "data": V2}
    assert own.has_avatar
    used = await loopback.press(loopback.ada, answer, "Use it")
    assert used.text == "Vera Holt is chosen for you alone now."
    await loopback.press(loopback.ada, answer, "Edit")
    assert buttons(answer) == ["Name, voice and sayings", "Likes, description and picture", "Use it"]
    form = await loopback.press(loopback.ada, answer, "Name, voice and sayings")
    assert fields(form)["Voice"] == ["Detective"]


async def test_a_card_without_a_near_voice_says_so(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    answer = await bring(loopback, json_card({"spec": "chara_card_v2", "data": {"name": "Zzyx"}}), "card.json")
    assert "No voice of mine is near to it, so it speaks as the one in the photo; " in answer.content
    assert (await only(bot, loopback.ada)).voice == "self"


@pytest.mark.parametrize("sample", [V1, V2, V3], ids=["v1", "v2", "v3"])
@pytest.mark.parametrize("make", [png_card, json_card])
async def test_what_was_imported_is_exported_equal(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, sample: dict[str, Any], make: Any
) -> None:
    await bring(loopback, make(sample))
    persona = (await only(bot, loopback.ada)).id
    done = await take(loopback, persona, format="json")
    [file] = done.files
    assert json.loads(file.data) == sample
    assert file.name.endswith(".json")
    done = await take(loopback, persona)
    [file] = done.files
    texts = texts_of(file.data)
    assert texts.get("ccv3", texts["chara"]) == sample
    assert file.name.endswith(".png")
    assert shown(done).content.endswith("programs that read character cards can use this file.")


async def test_what_was_changed_is_in_the_export(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    answer = await bring(loopback, png_card(V2))
    await loopback.press(loopback.ada, answer, "Edit")
    form = await loopback.press(loopback.ada, answer, "Name, voice and sayings")
    await loopback.submit(form, {"Name": "Vera Cold", "Voice": "Robot"})
    [file] = (await take(loopback, "Vera Cold", format="json")).files
    assert file.name == "Vera_Cold.json"
    data = json.loads(file.data)
    assert data["data"]["name"] == "Vera Cold"
    assert data["data"]["character_book"] == V2["data"]["character_book"]
    await loopback.slash(loopback.ada, loopback.room, "persona delete", persona="Vera Cold")
    await bot.house.personas.remove((await only(bot, loopback.ada)).id)
    await bring(loopback, file.data, "card.json")
    again = await only(bot, loopback.ada)
    assert (again.name, again.voice) == ("Vera Cold", "robot")


@pytest.mark.parametrize("kind", ["png", "json"])
async def test_built_in_characters_can_be_taken_along(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, kind: str
) -> None:
    done = await take(loopback, "Captain Maribel Saltmarrow", format=kind)
    [file] = done.files
    assert file.name == f"Captain_Maribel_Saltmarrow.{kind}"
    assert read_card(file.data).text("name") == "Captain Maribel Saltmarrow"
    refused = await bring(loopback, file.data, file.name)
    assert refused.content.startswith("There is a character called “Captain Maribel Saltmarrow” already;")
    form = await loopback.press(loopback.ada, refused, "Fix it")
    assert fields(form)["Catchphrase"] == "Arr, and that's the truth of it!"
    await loopback.submit(form, {"Name": "Captain Copy"})
    assert refused.content.startswith("This is a character of yours now:\n**Captain Copy**: Pirate\n")
    assert buttons(refused) == ["Use it", "Edit"]
    copy = await only(bot, loopback.ada)
    original = bot.house.personas.built_in["pirate"]
    assert (copy.likes, copy.description, copy.temperature) == (
        original.likes, original.description, original.temperature,
    )  # fmt: skip
    own = await bot.house.personas.own(copy.id)
    assert own
    assert own.card
    assert own.has_avatar == (kind == "png")


async def test_a_card_for_the_server_needs_manage_server(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    file = ("card.json", json_card(V1))
    done = await loopback.slash(loopback.ada, loopback.room, "persona import", file=file, server=True)
    assert shown(done).content.startswith("Characters of the server need the permission Manage Server;")
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    answer = await bring(loopback, json_card(V1), server=True)
    assert answer.content.startswith("This is a character of the server now:\n**Brine**: Pirate")
    assert (await only(bot, loopback.ben, loopback.world.guild_id)).name == "Brine"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7 no card",
        picture(),
        png_card(V2)[:-200],
        png_with(text_chunk("chara", V1), text_chunk("chara", V2)),
        png_with(text_chunk("chara", b"!!! not base64 !!!")),
        b"[" * 200_000,
        json_card(V2)[:-9],
        json_card({"spec": "chara_card_v9", "data": {"name": "x"}}),
        json_card({"spec": "chara_card_v2", "data": {"name": "@everyone"}}),
        json_card(V1) + b" " * MAX_CARD_BYTES,
    ],
    ids=["empty", "pdf", "photo", "cut", "two", "base64", "deep", "json cut", "future", "mention", "huge"],
)
@pytest.mark.parametrize("locale", ["en-US", CHINESE])
async def test_hostile_files_get_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, data: bytes, locale: str
) -> None:
    answer = await bring(loopback, data, locale=locale)
    sentence = SENTENCE if locale == "en-US" else re.compile(r"[^。！？\n]*[\u4e00-\u9fff][^。！？\n]*。")
    assert sentence.fullmatch(answer.content), answer.content
    assert not answer.components
    assert len(await bot.house.personas.visible(None, loopback.ada.id)) == 24


async def test_a_file_that_is_too_large_is_not_even_fetched(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    before = loopback.rest.downloads
    await bring(loopback, json_card(V1) + b" " * MAX_CARD_BYTES)
    assert loopback.rest.downloads == before
    await bring(loopback, json_card(V1))
    assert loopback.rest.downloads == before + 1


async def test_a_file_that_discord_no_longer_has_is_told(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback.world, "file", lambda file_id: None)
    answer = await bring(loopback, json_card(V1))
    assert answer.content == "I could not get that file from Discord; send it again."


async def test_who_has_too_many_characters_is_told_and_loses_nothing(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    for number in range(25):
        await bot.house.personas.add(Persona("x", f"Ann {number}"), owner_id=loopback.ada.id)
    full = await bring(loopback, json_card(V1))
    assert full.content == "You have 25 characters, which is the most; delete one first."
    seen = await bot.house.personas.visible(None, loopback.ada.id)
    await bot.house.personas.remove(next(key for key, one in seen.items() if one.name == "Ann 3"))
    await loopback.submit(await loopback.press(loopback.ada, full, "Fix it"), {})
    assert full.content.startswith("This is a character of yours now:\n**Brine**")


async def test_import_and_export_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.ada.locale = CHINESE
    done = await loopback.slash(loopback.ada, loopback.room, "角色 导入", 文件=("card.png", png_card(V3)))
    answer = shown(done)
    assert answer.content.startswith("它现在是你的角色：\n**英叔")
    assert "巫师、脾气暴躁、睿智" in answer.content
    assert "\n来自角色卡：nickname → 英叔" in answer.content
    assert "first\\_mes → 开场白" in answer.content
    assert "\n保留以供导出，但未使用：" in answer.content
    assert buttons(answer) == ["选用", "编辑"]
    done = await loopback.slash(loopback.ada, loopback.room, "角色 导出", 角色="英叔 🧙‍♂️", 格式="文本（JSON）")
    [file] = done.files
    assert json.loads(file.data) == V3
    assert file.name == "英叔.json"
    assert done.text.startswith("这是“英叔")
