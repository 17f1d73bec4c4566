"""What Olga decides about her server with /photos, and what the bot does where it is no member."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loopback.offers import NotOffered
from tests.tour import album
from tests.tour.guide import Guide, settled


async def settings(guide: Guide) -> None:
    """Change everything that can be set about photos, and see what follows."""
    discord, ada, ben, olga = guide.discord, guide.ada, guide.ben, guide.olga
    guide.chapter("The settings of a server", "服务器的设置")
    with pytest.raises(NotOffered):
        await guide.slash(ben, "photos show")
    guide.note("Discord does not offer /photos to Ben", "Discord 不向阿本提供 /照片 命令")
    await guide.slash(olga, "photos show")
    await guide.slash(olga, "photos listen", mode="every")
    await guide.post(ada, guide.either("my cat", "我的猫"), album.CAT)
    await guide.said()
    await guide.slash(olga, "photos listen", mode="never")
    await guide.post(ada, discord.mention, album.CAT)
    await discord.silence()
    await guide.slash(ada, "help")
    await guide.slash(olga, "photos listen", mode="mentions", where="here")

    for minutes in (15, 60, 8 * 60, 24 * 60):
        await guide.slash(olga, "photos pause", where="here", **_for(minutes))
    await guide.slash(ada, "help")
    await guide.slash(olga, "photos resume", where="here")
    await guide.slash(olga, "photos cooldown", seconds=600)
    await guide.post(ben, discord.mention, album.CAT)
    await guide.said()  # it asks him to wait
    await guide.slash(olga, "photos cooldown", seconds=0, where="here")

    await guide.slash(olga, "photos identity", kind="plain", where="here")
    await guide.post(ada, f"{discord.mention} robot", album.PORTRAIT)
    await guide.ask(ben, "are you a real robot?", await guide.said())
    await guide.slash(olga, "photos identity", kind="webhook", where="server")
    await guide.slash(olga, "photos pause", where="server", **_for(0))
    await guide.slash(olga, "photos show")
    await guide.slash(olga, "photos resume", where="server")
    await guide.slash(olga, "photos cooldown", seconds=0, where="server")
    await guide.slash(olga, "photos listen", mode="mentions", where="server")
    await guide.slash(olga, "photos reset", where="here")
    await guide.slash(olga, "photos reset", where="server")


def _for(minutes: int) -> dict[str, Any]:
    """Return the option that has the name of a keyword."""
    return {"for": minutes}


async def abroad(guide: Guide) -> None:
    """Use the bot, installed by Ada alone, in a server that does not have it and in a private talk."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("Where only Ada has installed the bot", "只有小雅自己安装了机器人的地方")
    far = guide.world.add_guild(guide.either("Far Away", "远方"), has_bot=False, locale=guide.locale)
    for place in (guide.world.add_channel("holidays", guild=far), guide.world.private(ada, ben)):
        photo = await guide.post(ben, "", album.GROUP, at=place)
        await discord.menu(ada, place, guide.word("Who is in this?"), photo, installed="user")
        talk = await discord.menu(ada, place, guide.word("Make it talk"), photo, installed="user")
        said = talk.message
        await guide.change(ada, said, "Again")
        asked = await guide.opened(ada, said, "Someone else")
        chosen = await guide.pick(ada, asked, "Who shall speak?", "1")
        await settled(chosen)
        await chosen.more()
        await discord.slash(ada, place, "help", installed="user")
        await guide.change(ada, said, "Delete")
        assert said
        assert said.gone


async def privacy(guide: Guide) -> None:
    """See, take away and erase what is stored, and keep the bot away."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("Privacy", "隐私")
    await guide.slash(ada, "privacy show")
    await guide.slash(ada, "privacy export")
    photo = await guide.post(ben, discord.mention, album.PORTRAIT)
    said = await guide.said()
    await guide.slash(ben, "privacy opt-out")
    await guide.post(ben, discord.mention, album.PORTRAIT)
    await guide.said()  # it is told why nobody answers
    await guide.press(ada, said, "Again")
    await discord.menu(ada, guide.room, guide.word("Make it talk"), photo)
    await guide.slash(ben, "privacy show")
    await guide.slash(ben, "privacy opt-in")
    forget = await guide.slash(ben, "privacy forget-me")
    await guide.change(ben, forget.message, "Erase everything and stay away")
    await guide.slash(ben, "privacy show")
    await guide.slash(ada, "status")
