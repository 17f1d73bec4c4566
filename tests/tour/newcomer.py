"""Somebody new: the bot comes to a server, is asked for help, and speaks, as itself and as somebody made for it."""

from __future__ import annotations

from tests.tour import album
from tests.tour.guide import Guide


async def first_steps(guide: Guide) -> None:
    """Go from the invitation to the first character of one's own, and take it all back."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("A newcomer", "新来的人")
    guide.note("the database is empty; Olga invites the bot to her server", "数据库是空的；欧佳把机器人请进她的服务器")
    await discord.invite_bot(guide.world.guild)
    await guide.slash(ada, "help")

    await guide.post(ada, discord.mention, album.PORTRAIT)
    opening = await guide.said()
    named = await guide.ask(ben, "what is your name?", opening)

    mood, voice = guide.word("grumpy"), guide.word("Pirate")
    idea = guide.either("a grumpy retired sea captain", f"一位{mood}的退休{voice}")
    opened = await guide.slash(ada, "persona create", description=idea)
    made = await guide.submit(
        opened,
        name=guide.either("Old Finn", "老芬恩"),
        greeting=guide.either("Mind the wet paint.", "小心油漆未干。"),
    )
    asked = await guide.press(ada, made.message, "Likes, description and picture")
    await guide.submit(
        asked,
        likes=guide.either("fog\nblack tea\nknots", "大雾\n红茶\n绳结"),
        description=guide.either("Sailed for forty years and misses it.", "航海四十年，至今怀念。"),
        talkativeness="talkative",
        picture=album.photo(album.CAT),
    )
    await guide.press(ada, made.message, "Use it")
    await guide.slash(ada, "persona list")
    await guide.post(ada, discord.mention, album.PORTRAIT)
    finn = await guide.said()
    assert finn.author.name == guide.either("Old Finn", "老芬恩")
    await guide.ask(ben, "do you like pineapple on pizza?", finn)

    await guide.slash(ada, "privacy show")
    forget = await guide.slash(ada, "privacy forget-me")
    await guide.change(ada, forget.message, "Erase everything")
    lost = await guide.ask(ada, "are you still there?", named)
    assert lost.text == guide.word("I no longer know the photo of that message; post it again and mention me.")
