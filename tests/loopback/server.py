"""A small Discord on 127.0.0.1 that the real discord.py logs in to.

async with LoopbackDiscord() as discord_:
    async with discord_.running(settings, engine):
        await discord_.post(discord_.room, discord_.ada, "@bot", files=[("me.jpg", data)])
        answer = await discord_.next_answer()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import discord
import discord.gateway
import discord.http
import yarl
from aiohttp import web

from tests.loopback.driving import Hands
from tests.loopback.exchange import PATIENCE
from tests.loopback.gateway import Gateway
from tests.loopback.happenings import Happenings
from tests.loopback.rest import API, Fault, Rest
from tests.loopback.story import Change, Entry
from tests.loopback.world import Channel, File, Message, User, World

if TYPE_CHECKING:
    from bot.client import TalkingPhotosBot
    from bot.cogs.engine import Engine
    from bot.settings import Settings

TOKEN = "loopback-token"


class LoopbackDiscord(Hands, Happenings):
    """The server, the people on it, and what tests do and see there."""

    def __init__(self) -> None:
        self.world = World()
        self.ada, self.ben, self.other_bot = User("Ada"), User("Ben"), User("Other Bot", bot=True)
        self.world.people += [self.ada, self.ben]
        self.room = self.world.add_channel("photos")
        self.gateway = Gateway(self.world, TOKEN)
        self.rest = Rest(self.world, self.gateway)
        self.rest.posting.told = self._said
        self.story: list[Entry] = []
        self._answers: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Start the server and point discord.py at it."""
        app = web.Application(client_max_size=30 * 2**20)
        app.add_routes([*self.rest.routes(), web.get("/gateway/", self.gateway.handle)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.gateway.url = f"ws://{host}:{port}/gateway/"
        self.gateway.cdn = f"http://{host}:{port}/cdn"
        self._real = (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE)
        self._point_at(f"http://{host}:{port}{API}", yarl.URL(self.gateway.url), self.gateway.cdn)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Point discord.py back at the real Discord and stop the server."""
        self._point_at(*self._real)
        await self.gateway.close()
        await self._runner.cleanup()

    async def unplug(self) -> None:
        """Stop listening, as if there were no network."""
        await self._runner.cleanup()

    @staticmethod
    def _point_at(api: str, gateway: yarl.URL, cdn: str) -> None:
        discord.http.Route.BASE = api
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
        discord.Asset.BASE = cdn

    @asynccontextmanager
    async def running(
        self, settings: Settings, engine: Engine, *, read_content: bool = True
    ) -> AsyncIterator[TalkingPhotosBot]:
        """Run the bot until the block ends; an error of the bot fails the test."""
        from bot.client import TalkingPhotosBot  # other clients of this server need nothing of the bot
        from bot.store.database import Database

        database = await Database.open(settings.database_url)
        bot = TalkingPhotosBot(settings, engine, database, read_content=read_content, guild_ready_timeout=0.05)
        try:
            async with self.connected(bot, settings.require_token()):
                yield bot
        finally:
            await database.close()

    @asynccontextmanager
    async def connected(self, client: discord.Client, token: str = TOKEN) -> AsyncIterator[None]:
        """Connect any client until the block ends; an error of the client fails the test."""
        client.before_identify_hook = _no_pause  # type: ignore[method-assign]
        async with client:
            task = asyncio.create_task(client.start(token))
            ready = asyncio.create_task(client.wait_until_ready())
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
            try:
                if task.done():
                    task.result()
                yield
            finally:
                ready.cancel()
                await client.close()
                await task

    @property
    def mention(self) -> str:
        """What a user types to mention the bot."""
        return f"<@{self.world.bot.id}>"

    async def post(
        self,
        channel: Channel,
        author: User,
        content: str = "",
        *,
        files: Sequence[tuple[str, bytes]] = (),
        reply_to: Message | None = None,
        ping: bool = True,
        webhook: bool = False,
        forwards: Message | None = None,
    ) -> Message:
        """Post a message; mentions are read from its content, and a reply pings unless ``ping`` is False."""
        mentioned = [user for user in (self.world.bot, *self.world.people) if f"<@{user.id}>" in content]
        if reply_to and ping and reply_to.author not in mentioned and not reply_to.author.hook:
            mentioned.append(reply_to.author)
        roles = (self.world.bot_role,) if f"<@&{self.world.bot_role}>" in content else ()
        attached = tuple(File(name, data) for name, data in files)
        message = Message(channel, author, content, attached, tuple(mentioned), roles, reply_to)
        message.webhook_id = channel.id if webhook else None
        message.forwards = forwards
        channel.messages[message.id] = message
        message.remember()
        self.story.append(message)
        await self.gateway.message_created(message)
        return message

    async def edit(self, message: Message, content: str) -> None:
        """Let the author of a message say something else in it."""
        message.content, message.edited = content, datetime.now(UTC)
        self.story.append(Change(message, message.remember()))
        await self.gateway.message_changed(message)

    async def delete(self, *messages: Message) -> None:
        """Delete messages of one channel."""
        for message in messages:
            message.gone = True
            del message.channel.messages[message.id]
        await self.gateway.messages_deleted(*messages)

    def note(self, what: str) -> None:
        """Write into the story what no message shows."""
        self.story.append(what)

    def fail_next(self, method: str, path: str, status: int) -> None:
        """Answer the next request whose path matches with 429 or a 5xx status."""
        self.rest.faults.append(Fault(method, path, status))

    async def next_answer(self, channel: Channel | None = None) -> Message:
        """Wait for the bot's next message; it has to be in ``channel`` if one is given."""
        message = await asyncio.wait_for(self._answers.get(), PATIENCE)
        assert channel is None or message.channel is channel, f"the bot wrote in {message.channel.name}"
        return message

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something has come true on the server."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - any condition, not one event
                await asyncio.sleep(0.01)

    async def silence(self, seconds: float = 0.25) -> None:
        """Check that the bot says nothing for a while."""
        try:
            message = await asyncio.wait_for(self._answers.get(), seconds)
        except TimeoutError:
            return
        raise AssertionError(f"the bot said {message.content!r}")

    def _said(self, entry: Entry) -> None:
        """Keep what happens; answers to interactions belong to their exchange, other messages to next_answer."""
        self.story.append(entry)
        if isinstance(entry, Message) and not entry.answers:
            self._answers.put_nowait(entry)


async def _no_pause(shard_id: int | None, *, initial: bool = False) -> None:
    """Identify at once: the loopback Discord does not mind."""
