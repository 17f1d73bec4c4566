"""The gateway: identify, heartbeat, resume, and events as far as the intents of a session reach."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.loopback.exchange import Exchange
from tests.loopback.permissions import ATTACH_FILES
from tests.loopback.world import Channel, Message, World, snowflake

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT
DISPATCH, HEARTBEAT, IDENTIFY, RESUME, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 9, 10, 11
AUTHENTICATION_FAILED, DISALLOWED_INTENTS, DROPPED = 4004, 4014, 4000


@dataclass(eq=False)
class Session:
    """One identified client; it outlives its socket so that the client can resume."""

    intents: int
    id: str = field(default_factory=lambda: f"session-{snowflake()}")
    socket: web.WebSocketResponse | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """Send an event, or keep it until the client resumes."""
        frame = {"op": DISPATCH, "t": event, "s": len(self.sent) + 1, "d": data}
        self.sent.append(frame)
        if self.socket is not None and not self.socket.closed:
            with suppress(ConnectionError):  # it breaks just now; the client asks for the frame when it resumes
                await self.socket.send_str(json.dumps(frame))


class Gateway:
    """Every session of the bot. ``allowed`` are the privileged intents switched on in the portal."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.allowed = MESSAGE_CONTENT
        self.may_resume = True
        self.url = ""
        self.cdn = ""
        self.sessions: list[Session] = []
        self.identified = 0
        self.resumed = 0

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": 41250}})
        session: Session | None = None
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                break
            message = json.loads(frame.data)
            if message["op"] == HEARTBEAT:
                await socket.send_json({"op": HEARTBEAT_ACK})
            elif message["op"] == IDENTIFY:
                session = await self._identify(socket, message["d"])
            elif message["op"] == RESUME:
                session = await self._resume(socket, message["d"])
        if session is not None and session.socket is socket:
            session.socket = None
        return socket

    async def _identify(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> Session | None:
        if data["token"] != self.token:
            await socket.close(code=AUTHENTICATION_FAILED)
            return None
        if data["intents"] & PRIVILEGED & ~self.allowed:
            await socket.close(code=DISALLOWED_INTENTS)
            return None
        session = Session(data["intents"], socket=socket)
        self.sessions.append(session)
        self.identified += 1
        guilds = [guild for guild in self.world.guilds.values() if guild.has_bot]
        ready = {
            "v": 10,
            "user": self.world.bot.payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": data.get("shard", [0, 1]),
            "application": {"id": str(self.world.bot.id), "flags": 0},
        }
        await session.dispatch("READY", ready)
        if session.intents & GUILDS:
            for guild in guilds:
                await session.dispatch("GUILD_CREATE", guild.payload())
        return session

    async def _resume(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> Session | None:
        session = next((session for session in self.sessions if session.id == data["session_id"]), None)
        if session is None or not self.may_resume or data["token"] != self.token:
            await socket.send_json({"op": INVALID_SESSION, "d": False})
            return None
        seen = data["seq"]
        while missed := session.sent[seen:]:  # what is told meanwhile comes after it
            for frame in missed:
                await socket.send_str(json.dumps(frame))
            seen += len(missed)
        session.socket = socket
        await session.dispatch("RESUMED", {})
        self.resumed += 1
        return session

    async def drop(self) -> None:
        """Close every socket the way a broken network does; the sessions can be resumed."""
        for session in self.sessions:
            if session.socket is not None:
                socket, session.socket = session.socket, None
                await socket.close(code=DROPPED)

    async def tell(self, event: str, data: dict[str, Any], intents: int = 0) -> None:
        """Send an event to every session that asked for one of these intents; 0 is for all."""
        for session in self.sessions:
            if not intents or session.intents & intents:
                await session.dispatch(event, data)

    async def interaction_created(self, exchange: Exchange) -> None:
        """Tell the newest session what somebody did with a command, a menu, a button or a form."""
        assert self.sessions, "the bot is not connected"
        channel, member = exchange.channel, None
        if channel.guild:
            member = {**channel.guild.member(exchange.user), "user": exchange.user.payload()}
            member["permissions"] = str(channel.granted(exchange.user))
        granted = channel.granted(self.world.bot) if channel.visible else ATTACH_FILES
        payload = exchange.payload(self.cdn, self.world.bot.id, granted, member)
        await self.sessions[-1].dispatch("INTERACTION_CREATE", payload)

    async def message_created(self, message: Message) -> None:
        """Tell every session whose intents cover the message."""
        await self._message("MESSAGE_CREATE", message)

    async def message_changed(self, message: Message) -> None:
        """Tell every session whose intents cover the message what it says now."""
        await self._message("MESSAGE_UPDATE", message)

    async def _message(self, event: str, message: Message) -> None:
        if message.ephemeral or not message.channel.visible:
            return
        for session in self.sessions:
            if session.intents & self._needed(message.channel):
                await session.dispatch(event, self.visible(message, session.intents))

    @staticmethod
    def _needed(channel: Channel) -> int:
        return GUILD_MESSAGES if channel.guild else DIRECT_MESSAGES

    async def messages_deleted(self, *messages: Message) -> None:
        """Tell every session that messages of one channel are gone."""
        channel = messages[0].channel
        if messages[0].ephemeral or not channel.visible:
            return
        data: dict[str, Any] = {"channel_id": str(channel.id)}
        if channel.guild_id:
            data["guild_id"] = str(channel.guild_id)
        if len(messages) == 1:
            await self.tell("MESSAGE_DELETE", {**data, "id": str(messages[0].id)}, self._needed(channel))
        else:
            ids = [str(message.id) for message in messages]
            await self.tell("MESSAGE_DELETE_BULK", {**data, "ids": ids}, self._needed(channel))

    def visible(self, message: Message, intents: int) -> dict[str, Any]:
        """Return a message as a client with these intents sees it."""
        payload = message.payload(self.cdn)
        self._hide(payload, message, intents)
        if payload.get("referenced_message") and message.reply_to:
            self._hide(payload["referenced_message"], message.reply_to, intents)
        guild = message.channel.guild
        if guild:
            payload["guild_id"] = str(guild.id)
            if not message.webhook_id:
                payload["member"] = guild.member(message.author)
            for user, mention in zip(message.mentions, payload["mentions"], strict=True):
                mention["member"] = guild.member(user)
        return payload

    def _hide(self, payload: dict[str, Any], message: Message, intents: int) -> None:
        """Without the content intent only direct messages, own ones and mentions show what they say."""
        bot = self.world.bot
        open_ = message.channel.guild_id is None or message.author is bot or bot in message.mentions
        if not (open_ or intents & MESSAGE_CONTENT):
            payload.update(content="", attachments=[], embeds=[], components=[])

    async def close(self) -> None:
        """Close every socket for good."""
        for session, socket in itertools.product(self.sessions, [None]):
            if session.socket is not None:
                await session.socket.close(code=1001)
            session.socket = socket
