"""In-character messages: sent through a webhook of the channel, under the speaker's own name and picture.

A channel has one webhook of ours, found again after a restart. Its picture is changed before a message when
somebody else speaks; messages keep the name and picture they were sent with.
"""

from __future__ import annotations

import asyncio
import logging
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import discord
from discord.utils import MISSING

from bot.cogs.delivery import split

log = logging.getLogger(__name__)

HOOK_NAME = "Talking Photos"
MAX_NAME = 80  # characters of a webhook's name
REMEMBERED = 1000  # channels whose webhook is kept in memory
PATIENCE = 3.0  # seconds a message waits for its picture
PICTURE_PAUSE = 60.0  # seconds without new pictures after Discord refused one
FULL_PAUSE = 300.0  # seconds before a channel without room for a webhook is asked again

UNKNOWN_MESSAGE, FULL = 10008, 30007
GONE = frozenset({10015, 50027})  # unknown webhook, invalid webhook token

Home = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

_HAIR_SPACE = "\u200a"
_JOINER = "\u200d"  # holds emoji together
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that show nothing
# Discord refuses names with these words in them, and names that are nothing but the last three.
_RESERVED = re.compile(
    r"(?<=c)(?=lyde)|(?<=d)(?=iscord)|(?<=`)(?=``)|(?<=^h)(?=ere$)|(?<=^e)(?=veryone$)|(?<=^s)(?=ystem message$)",
    re.IGNORECASE,
)


class NoHook(Exception):
    """No webhook can be used here; a plain message has to do. ``reason`` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Gone(NoHook):
    """The webhook was deleted or taken elsewhere."""


@dataclass(frozen=True, slots=True)
class Avatar:
    """A picture to speak under: ``key`` tells pictures apart, ``read`` brings the bytes, None if there are none."""

    key: str
    read: Callable[[], Awaitable[bytes | None]]


@dataclass(slots=True)
class _Hook:
    """A webhook and the picture that was last put on it; ``worn`` is None when that is not known."""

    webhook: discord.Webhook
    worn: str | None = None
    dressing: asyncio.Task[bool] | None = None
    pictures_from: float = 0.0


@dataclass(slots=True)
class _Spot:
    """What is known of a channel; the lock is held while somebody speaks there, so that pictures do not mix."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    hook: _Hook | None = None
    hooks_from: float = 0.0


class Hooks:
    """Speaks through webhooks, one in each channel."""

    def __init__(self, bot: discord.Client, *, patience: float = PATIENCE, remembered: int = REMEMBERED) -> None:
        self._bot = bot
        self._patience = patience
        self._remembered = remembered
        self._spots: OrderedDict[int, _Spot] = OrderedDict()

    async def send(
        self,
        channel: discord.abc.Messageable,
        text: str,
        *,
        name: str,
        avatar: Avatar | None,
        view: discord.ui.View | None = None,
        files: Sequence[discord.File] = (),
    ) -> list[discord.WebhookMessage]:
        """Say a text under a name and a picture; a long one in parts, the last with the view and the files.

        Raises NoHook where that is not possible; only if a moderator deletes the webhook meanwhile may a part of
        the text have been said by then.
        """
        home = self._home(channel)
        spot = self._spot(home.id)
        parts = split(text) or [""] * bool(files)
        sent: list[discord.WebhookMessage] = []
        async with spot.lock:
            hook = await self._hook(spot, home)
            dressed = await self._dressed(hook, avatar)
            for number, part in enumerate(parts, 1):
                extras = {"view": view or MISSING, "files": files or MISSING} if number == len(parts) else {}
                try:
                    message = await self._say(hook, channel, part, name, dressed, extras)
                except _Gone as error:
                    log.info("%s; trying another.", error.reason)
                    spot.hook = None
                    hook = await self._hook(spot, home)
                    dressed = await self._dressed(hook, avatar)
                    for file in files:
                        file.reset()
                    message = await self._say(hook, channel, part, name, dressed, extras)
                sent.append(message)
        return sent

    async def delete(self, message: discord.Message) -> bool:
        """Delete a message of ours, if it is still there; False if it is not ours."""
        webhook = await self._webhook_of(message)
        if webhook is None:
            return False
        try:
            await webhook.delete_message(message.id, thread=_thread(message.channel))
        except discord.HTTPException as error:
            return error.code == UNKNOWN_MESSAGE or self._gone(message, error)
        return True

    async def undress(self, keys: Collection[str], channel_ids: Collection[int] = ()) -> None:
        """Take pictures off the webhooks that wear one whose key begins so; what was said keeps its picture.

        In the channels that are named, so does whoever has not spoken since the start, as nobody knows whose it is.
        """
        begins = tuple(keys)
        for spot in [spot for spot in self._spots.values() if _wears(spot, begins)]:
            async with spot.lock:
                if spot.hook and _wears(spot, begins):
                    await self._dress(spot.hook, Avatar("", _nothing))
        for channel_id in channel_ids:
            with suppress(NoHook, discord.HTTPException):
                await self._bare(self._home(self._bot.get_channel(channel_id)))

    async def _bare(self, home: Home) -> None:
        """Take off the picture that a webhook of ours still wears from before the start."""
        spot = self._spot(home.id)
        async with spot.lock:
            for webhook in () if spot.hook else await self._ours(home):
                if webhook.avatar:
                    await self._dress(_Hook(webhook), Avatar("", _nothing))

    def is_ours(self, webhook_id: int) -> bool:
        """Tell whether a webhook is one that was used lately."""
        return any(spot.hook and spot.hook.webhook.id == webhook_id for spot in self._spots.values())

    async def owns(self, message: discord.Message) -> bool:
        """Tell whether a message was sent through one of our webhooks, even before a restart."""
        if message.webhook_id is None:
            return False
        # Answers to interactions carry the application's id in place of a webhook's; those are plain messages.
        by_us = message.application_id is not None and message.application_id == self._bot.application_id
        return self.is_ours(message.webhook_id) or (by_us and message.webhook_id != self._bot.application_id)

    async def _say(
        self,
        hook: _Hook,
        channel: discord.abc.Messageable,
        text: str,
        name: str,
        dressed: bool,
        extras: dict[str, Any],
    ) -> discord.WebhookMessage:
        """Send one message; raise _Gone if the webhook is no longer in this channel, NoHook if it is refused."""
        try:
            message = await hook.webhook.send(
                text or MISSING,
                username=webhook_name(name),
                # The webhook may still wear somebody else's face, so that none at all is said outright.
                avatar_url=MISSING if dressed else self._own_picture(),
                allowed_mentions=discord.AllowedMentions.none(),
                thread=_thread(channel),
                wait=True,
                **extras,
            )
        except discord.HTTPException as error:
            if error.code in GONE or (error.status == 404 and isinstance(channel, discord.Thread)):
                raise _Gone(f"Webhook {hook.webhook.id} is gone ({error})") from error
            if error.status == 403 or (error.status == 400 and "username" in error.text):
                raise NoHook(f"Discord refuses what I say through webhook {hook.webhook.id} ({error})") from error
            raise
        if message.channel.id != channel.id:  # type: ignore[attr-defined]  # every place with a webhook has an id
            with suppress(discord.HTTPException):
                await message.delete()
            raise _Gone(f"Webhook {hook.webhook.id} was moved to channel {message.channel.id}")
        return message

    async def _dressed(self, hook: _Hook, avatar: Avatar | None) -> bool:
        """Put a picture on a webhook; False if it is not there in time, and the message has to go without.

        A change that takes longer goes on by itself; until it is over the webhook's picture is left alone.
        """
        if avatar is None or (hook.dressing and not hook.dressing.done()):
            return False
        if hook.worn == avatar.key:
            return True
        if asyncio.get_running_loop().time() < hook.pictures_from:
            return False
        hook.dressing = asyncio.create_task(self._dress(hook, avatar))
        done, _ = await asyncio.wait({hook.dressing}, timeout=self._patience)
        return bool(done) and hook.dressing.result()

    async def _dress(self, hook: _Hook, avatar: Avatar) -> bool:
        """Change the picture of a webhook and tell whether that went well; no failure stops a message."""
        try:
            async with asyncio.timeout(self._patience):
                picture = await avatar.read()
        except Exception as error:  # noqa: BLE001 - pictures come from files, stores and networks, and are not essential
            log.warning("The picture %s cannot be read: %r.", avatar.key, error)
            return False
        if picture is None and avatar.key:
            return False
        before, hook.worn = hook.worn, None  # until Discord has answered, nobody knows
        try:
            # With the webhook's own token a rate limit on pictures would hold up the messages too.
            await hook.webhook.edit(avatar=picture, prefer_auth=True)
        except Exception as error:  # noqa: BLE001 - refused, limited, or Discord is down: the message goes without
            log.warning("The picture %s cannot be shown: %r.", avatar.key, error)
            if isinstance(error, ValueError) or (isinstance(error, discord.HTTPException) and error.status < 500):
                hook.worn = before
            hook.pictures_from = asyncio.get_running_loop().time() + PICTURE_PAUSE
            return False
        hook.worn = avatar.key
        return True

    def _own_picture(self) -> str:
        """Return the address of the bot's own picture; Discord takes no GIF there."""
        return self._bot.user.display_avatar.with_format("png").url if self._bot.user else MISSING

    async def _hook(self, spot: _Spot, home: Home) -> _Hook:
        """Return the webhook of a channel, found or made anew; raise NoHook if there is none to be had."""
        now = asyncio.get_running_loop().time()
        if spot.hook is None:
            if now < spot.hooks_from:
                raise NoHook(f"channel {home.id} had no room for a webhook")
            try:
                ours = await self._ours(home)
                reason = "Photos speak under their own names"
                webhook = ours[0] if ours else await home.create_webhook(name=HOOK_NAME, reason=reason)
            except discord.HTTPException as error:
                if error.code == FULL:
                    spot.hooks_from = now + FULL_PAUSE
                raise NoHook(f"Discord gives me no webhook in channel {home.id} ({error})") from error
            spot.hook = _Hook(webhook)
        return spot.hook

    async def _ours(self, home: Home) -> list[discord.Webhook]:
        """Return the webhooks of a channel that belong to this application."""
        # discord.py's own Webhook does not tell whose it is: the raw answer does.
        found = await self._bot.http.channel_webhooks(home.id)
        us = str(self._bot.application_id)
        ours = [data for data in found if data.get("token") and data.get("application_id") == us]
        return [discord.Webhook.from_state(data, state=self._bot._connection) for data in ours]

    async def _webhook_of(self, message: discord.Message) -> discord.Webhook | None:
        """Return the webhook through which a message was sent, if it is ours and still there."""
        if not await self.owns(message):
            return None
        try:
            home = self._home(message.channel)
            hook = self._spot(home.id).hook
            if hook and hook.webhook.id == message.webhook_id:
                return hook.webhook
            ours = await self._ours(home)
        except (NoHook, discord.Forbidden, discord.NotFound):
            return None
        return next((webhook for webhook in ours if webhook.id == message.webhook_id), None)

    def _gone(self, message: discord.Message, error: discord.HTTPException) -> bool:
        """Forget a webhook that no longer exists and return False; raise any other error again."""
        if error.code not in GONE:
            raise error
        for spot in self._spots.values():
            if spot.hook and spot.hook.webhook.id == message.webhook_id:
                spot.hook = None
        return False

    def _home(self, channel: object) -> Home:
        """Return the channel whose webhook serves ``channel``: for a thread its parent."""
        home = channel.parent if isinstance(channel, discord.Thread) else channel
        if not isinstance(home, Home):
            raise NoHook("there are no webhooks in this kind of channel")
        me = home.guild.me
        if me is None or not home.permissions_for(me).manage_webhooks:
            raise NoHook(f"I lack the permission Manage Webhooks in channel {home.id}")
        return home

    def _spot(self, home_id: int) -> _Spot:
        spot = self._spots.setdefault(home_id, _Spot())
        self._spots.move_to_end(home_id)
        while len(self._spots) > self._remembered:
            self._spots.popitem(last=False)
        return spot


def webhook_name(name: str) -> str:
    """Return a name that Discord takes for a webhook's message: 1 to 80 characters and no reserved word whole."""
    shown = "".join(c for c in " ".join(name.split()) if c == _JOINER or unicodedata.category(c)[0] != "C")
    shown = re.sub(f"{_JOINER}(?=[a-z])|(?<=[a-z]){_JOINER}", "", shown, flags=re.IGNORECASE)
    shown = " ".join(shown.split())[:MAX_NAME]
    if not any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANK for c in shown):
        return HOOK_NAME
    return _RESERVED.sub(_HAIR_SPACE, shown)[:MAX_NAME].rstrip()


def _wears(spot: _Spot, begins: tuple[str, ...]) -> bool:
    """Tell whether a channel's webhook wears a picture whose key begins so."""
    return bool(spot.hook and spot.hook.worn and begins and spot.hook.worn.startswith(begins))


async def _nothing() -> None:
    """Read no picture."""


def _thread(channel: object) -> discord.Thread:
    """Return the thread to speak in, MISSING for a channel itself."""
    return channel if isinstance(channel, discord.Thread) else MISSING
