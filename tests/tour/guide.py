"""One tour: a loopback Discord in one language, the people on it, and what they do there."""

from __future__ import annotations

from typing import Any

from bot.locales import say
from tests.loopback.exchange import Exchange
from tests.loopback.permissions import EVERYBODY, MANAGE_MESSAGES
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel, Message, User
from tests.tour import album

CHINESE = "zh-CN"
SHOWN = 4  # choices that are written into the story


class Guide:
    """Leads people through the bot: Ada is new, Ben is her friend, Olga owns the server, Mia moderates it."""

    def __init__(self, discord: LoopbackDiscord, locale: str) -> None:
        self.discord, self.locale = discord, locale
        self.world, self.room = discord.world, discord.room
        self.ada, self.ben, self.olga = discord.ada, discord.ben, discord.world.owner
        self.mia = discord.add_user("Mia", permissions=EVERYBODY | MANAGE_MESSAGES)
        names = ("小雅", "阿本", "欧佳", "米娅") if locale == CHINESE else ("Ada", "Ben", "Olga", "Mia")
        for user, name in zip((self.ada, self.ben, self.olga, self.mia), names, strict=True):
            user.name, user.locale = name, locale
        discord.world.guild.locale = locale
        discord.world.guild.name = self.either("Photo Club", "照片俱乐部")
        self.room.name = self.either("photos", "照片")

    def word(self, text: str, **values: object) -> str:
        """Return one of the bot's own words as the people of this tour read it."""
        return say(self.locale, text, **values)

    def either(self, english: str, chinese: str) -> str:
        """Return what somebody types or reads in the language of this tour."""
        return chinese if self.locale == CHINESE else english

    def chapter(self, english: str, chinese: str) -> None:
        """Begin a part of the tour."""
        self.discord.note(f"*** {self.either(english, chinese)} ***")

    def note(self, english: str, chinese: str) -> None:
        """Write into the story what no message shows."""
        self.discord.note(self.either(english, chinese))

    async def slash(self, user: User, command: str, *, at: Channel | None = None, **options: Any) -> Exchange:
        """Use a slash command in the first channel, or another one."""
        return await self.discord.slash(user, at or self.room, command, **options)

    async def complete(self, user: User, command: str, typed: str = "") -> list[str]:
        """Type a character's name into a command, and return the ids of those who are offered."""
        offered = await self.discord.complete(user, self.room, command, focused="persona", typed=typed)
        names = "; ".join(name for name, _ in offered[:SHOWN])
        more = f" … ({len(offered)})" if len(offered) > SHOWN else ""
        self.note(
            f"{user.name} types /{command} {typed or '...'} and is offered: {names}{more}",
            f"{user.name}输入 /{command} {typed or '……'}，可选：{names}{more}",
        )
        return [value for _, value in offered]

    async def post(self, user: User, text: str = "", *names: str, at: Channel | None = None, **options: Any) -> Message:
        """Post photos of the album by their names, or files as they are, or only words."""
        files = [album.photo(name) for name in names]
        return await self.discord.post(at or self.room, user, text, files=files, **options)

    async def said(self, *, at: Channel | None = None) -> Message:
        """Return what the bot says next in the channel."""
        return await self.discord.next_answer(at or self.room)

    async def ask(self, user: User, text: str, about: Message) -> Message:
        """Reply to somebody in a photo and return what they answer."""
        await self.discord.post(about.channel, user, text, reply_to=about)
        return await self.said(at=about.channel)

    async def press(self, user: User, message: Message | None, label: str) -> Exchange:
        """Press the button that is labelled with a word of the bot's."""
        assert message
        return await self.discord.press(user, message, self.word(label))

    async def opened(self, user: User, message: Message | None, label: str) -> Message:
        """Press a button that shows a menu, and return it; where the bot is busy it comes after the answer."""
        pressed = await self.press(user, message, label)
        shown = await pressed.more() if pressed.kind == "deferred_update" else pressed.message
        assert shown
        return shown

    async def change(self, user: User, message: Message | None, label: str) -> Exchange:
        """Press a button that changes its message, and wait until it has."""
        pressed = await self.press(user, message, label)
        await settled(pressed)
        return pressed

    async def submit(self, opened: Exchange, **values: Any) -> Exchange:
        """Send a form whose fields are labelled with words of the bot's, and wait for what comes of it.

        The names of ``values`` are the labels up to their first comma, in small letters.
        """
        fields = {self.word(_FIELDS[name]): value for name, value in values.items()}
        sent = await self.discord.submit(opened, fields)
        await settled(sent)
        return sent

    async def pick(self, user: User, message: Message | None, menu: str, choice: str) -> Exchange:
        """Choose something in a menu by its value or by a word of the bot's."""
        assert message
        return await self.discord.select(user, message, self.word(menu), self.word(choice))


_FIELDS = {
    "name": "Name",
    "voice": "Voice",
    "traits": "Traits, up to three",
    "catchphrase": "Catchphrase",
    "greeting": "Greeting",
    "likes": "Likes",
    "description": "Description",
    "talkativeness": "Talkativeness",
    "picture": "Picture",
}


async def settled(exchange: Exchange) -> None:
    """Wait until what was promised by a deferred change has come."""
    if exchange.kind == "deferred_update":
        await exchange.more()
