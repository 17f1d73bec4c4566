"""Everything about portraits: draw somebody who does not exist, give a character a face, let a photo smile."""

from __future__ import annotations

from bot.portrait.wishes import AGES
from tests.loopback.messages import walk
from tests.tour import album
from tests.tour.guide import Guide, settled

GIVE, WHOSE = "Make it the picture of …", "Your own and this server's characters"
CHANGE, FACE = "Another change", "Another face"


async def drawn(guide: Guide) -> None:
    """Draw people who do not exist, let one of them speak, and give a character its face."""
    discord, ada, ben, olga = guide.discord, guide.ada, guide.ben, guide.olga
    guide.chapter("Somebody who does not exist", "并不存在的人")
    idea = guide.either("a cheerful old man", "快乐的老爷爷")
    asked = await guide.slash(ada, "portrait draw", description=idea, seed=4711)
    portrait = asked.message
    assert portrait
    await discord.post(guide.room, ben, guide.either("hello, who are you?", "你好，你是谁？"), reply_to=portrait)
    said = await guide.said()
    await guide.ask(ben, "do you like pineapple on pizza?", said)
    await discord.menu(ada, guide.room, guide.word("Make it talk"), portrait)
    await guide.said()
    await guide.press(ben, portrait, "Another")  # it is not his
    await guide.change(ada, portrait, "Another")
    await guide.slash(ada, "portrait draw", description=guide.either("a dragon", "一条龙"))
    for age in AGES:
        await guide.slash(ben, "portrait draw", age=age, mood="happy", look="female")
    await guide.slash(ben, "portrait draw", mood="neutral", look="male")

    whose = await guide.opened(ada, portrait, GIVE)
    [menu] = [part for part in walk(whose.components) if "options" in part]
    await guide.pick(ada, whose, WHOSE, menu["options"][0]["value"])
    newcomer = discord.add_user("Lin", locale=guide.locale)
    lins = await guide.slash(newcomer, "portrait draw")
    await guide.opened(newcomer, lins.message, GIVE)  # nobody to give it to
    await guide.slash(olga, "photos listen", mode="never", where="here")
    await guide.slash(ada, "portrait draw", seed=1)
    await guide.slash(olga, "photos listen", mode="mentions", where="here")


async def worn(guide: Guide) -> None:
    """Give a character faces that suit it, and see it with the last of them."""
    ada = guide.ada
    guide.chapter("A face for a character", "给角色一张脸")
    name = album.CARD["data"]["name"]
    await guide.complete(ada, "portrait use")
    await guide.slash(ada, "portrait use", persona="pirate")  # built in
    await guide.slash(ada, "portrait use", persona=name)
    for age in AGES:
        await guide.slash(ada, "portrait use", persona=name, age=age, mood="neutral", look="male", seed=7)
    idea = guide.either("a happy girl", "开心的女孩")
    await guide.slash(ada, "portrait use", persona=name, description=idea, mood="happy", look="female")
    await guide.slash(ada, "persona show", persona=name)
    await guide.post(ada, f"{guide.discord.mention} {name}", album.PORTRAIT)
    await guide.said()


async def changed(guide: Guide) -> None:
    """Let the faces of photos smile and age."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("A face that changes", "会变化的脸")
    photo = await guide.post(ben, guide.either("us at the museum", "我们在博物馆"), album.GROUP)
    smiling = await discord.menu(ada, guide.room, guide.word("Make it smile"), photo)
    await settled(await guide.pick(ada, smiling.message, CHANGE, "older"))
    await settled(await guide.pick(ada, smiling.message, FACE, "1"))
    for change in ("smile", "older", "younger"):
        await guide.slash(ada, "portrait morph", photo=album.photo(album.PORTRAIT), change=change)
    wrong = await guide.slash(ada, "portrait morph", photo=("notes.txt", b"buy milk"))
    await wrong.more()  # what everybody waited for goes, and only she is told why
    words = await guide.post(ben, guide.either("nice, is it not?", "不错吧？"))
    await discord.menu(ada, guide.room, guide.word("Make it smile"), words)
    hidden = ("SPOILER_me.jpg", album.photo(album.PORTRAIT)[1])
    await guide.slash(ada, "portrait morph", photo=hidden)
    await guide.slash(ben, "privacy opt-out")
    await discord.menu(ada, guide.room, guide.word("Make it smile"), photo)
    await guide.slash(ben, "privacy opt-in")
