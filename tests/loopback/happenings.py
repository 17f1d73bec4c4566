"""What happens to servers and channels while the bot runs, and the events that tell it."""

from __future__ import annotations

from tests.loopback.gateway import GUILDS, Gateway
from tests.loopback.people import User
from tests.loopback.places import PUBLIC_THREAD, Channel, Guild
from tests.loopback.world import Message, World


class Happenings:
    """Changes of the world that Discord tells bots about: part of LoopbackDiscord."""

    world: World
    gateway: Gateway

    def add_user(self, name: str, *, locale: str = "en-US", permissions: int | None = None) -> User:
        """Let somebody come; ``permissions`` are what this person may do on the first server."""
        user = User(name, locale=locale)
        self.world.people.append(user)
        if permissions is not None:
            self.world.permissions[user] = permissions
        return user

    async def start_thread(self, channel: Channel, name: str, *, message: Message | None = None) -> Channel:
        """Open a public thread in a channel, or under a message, which then has the same id."""
        thread = self.world.add_channel(name, parent=channel)
        if message:
            del self.world.channels[thread.id]
            thread.id = message.id
            self.world.channels[thread.id] = thread
        if channel.visible:
            await self.gateway.tell("THREAD_CREATE", {**thread.payload(), "newly_created": True}, GUILDS)
        return thread

    async def open_channel(
        self, name: str, denied: int = 0, *, nsfw: bool = False, guild: Guild | None = None
    ) -> Channel:
        """Add a channel while the bot runs."""
        channel = self.world.add_channel(name, denied, nsfw=nsfw, guild=guild)
        if channel.visible:
            await self.gateway.tell("CHANNEL_CREATE", channel.payload(), GUILDS)
        return channel

    async def change_channel(self, channel: Channel, *, denied: int | None = None, nsfw: bool | None = None) -> None:
        """Change what a channel allows, or whether it is restricted to adults."""
        channel.denied = channel.denied if denied is None else denied
        channel.nsfw = channel.nsfw if nsfw is None else nsfw
        await self.gateway.tell("CHANNEL_UPDATE", channel.payload(), GUILDS)

    async def delete_channel(self, channel: Channel) -> None:
        """Delete a channel or thread with all that is in it."""
        payload, thread = channel.payload(), channel.kind == PUBLIC_THREAD
        assert channel.guild
        for gone in [channel, *(other for other in channel.guild.channels if other.parent is channel)]:
            self.world.forget(gone)
        if thread:
            payload = {key: payload[key] for key in ("id", "guild_id", "parent_id", "type")}
        if channel.visible:
            await self.gateway.tell("THREAD_DELETE" if thread else "CHANNEL_DELETE", payload, GUILDS)

    async def remove_bot(self, guild: Guild | None = None) -> None:
        """Throw the bot out of a server."""
        guild = guild or self.world.guild
        guild.has_bot = False
        for hook in [hook for hook in self.world.webhooks.values() if hook.channel.guild is guild]:
            if hook.owner is self.world.bot:
                del self.world.webhooks[hook.id]
        await self.gateway.tell("GUILD_DELETE", {"id": str(guild.id)}, GUILDS)

    async def invite_bot(self, guild: Guild) -> None:
        """Let the bot into a server."""
        guild.has_bot = True
        payload = {key: value for key, value in guild.payload().items() if key != "unavailable"}
        await self.gateway.tell("GUILD_CREATE", payload, GUILDS)

    async def set_locale(self, locale: str, guild: Guild | None = None) -> None:
        """Change the language that a server prefers."""
        guild = guild or self.world.guild
        guild.locale = locale
        payload = {
            key: value for key, value in guild.payload().items() if key not in ("channels", "threads", "members")
        }
        if guild.has_bot:
            await self.gateway.tell("GUILD_UPDATE", payload, GUILDS)
