"""Where portraits are made: who may see them and when, whose photos are left alone, and what becomes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import aiohttp
import discord

from bot.cogs import incoming
from bot.cogs.house import House, place_of
from bot.cogs.manners import Manners
from bot.cogs.stage import LEFT_ALONE, SILENT, Shown, is_member, language_of, may_write
from bot.cogs.standing import YOU_LEFT, Vanished
from bot.domain import BadInput, Person, Scene
from bot.portrait.pictures import Drawing
from bot.portrait.wishes import Wish

SMILE = "smile"  # the change that needs no asking

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Audience:
    """Who sees a picture, everybody or its user alone, in which language, and whether the bot hears replies to it."""

    public: bool
    locale: str
    member: bool


@dataclass(frozen=True, slots=True)
class Sitter:
    """A photo whose face is to change: the file, who posted it, and the message it is in, if it is in one."""

    file: discord.Attachment
    poster_id: int
    message_id: int | None = None
    shows: Shown | None = None  # where the small print above what is made of it leads

    def hidden_in(self, channel: object) -> bool:
        """Tell whether what is made of it is to be hidden as well."""
        return self.file.is_spoiler() or incoming.age_restricted(channel)


class Easel:
    """Draws and changes faces at the engine's desk for whoever uses a command, a menu or a button."""

    def __init__(self, house: House, manners: Manners) -> None:
        self.house = house
        self._manners = manners
        self._sitting: dict[int, set[asyncio.Task[Any]]] = {}  # by message

    async def admit(self, interaction: discord.Interaction) -> Audience:
        """Count a picture that somebody asks for, and return who shall see it; raise BadInput if it comes too early."""
        self.house.languages.of_interaction(interaction)
        choice = await self.house.scopes.resolve(place_of(interaction))
        public = not choice.paused_until and choice.listen != "never" and may_write(interaction)
        self._manners.admit_press(interaction, choice.cooldown or 0.0 if public else None)
        locale = language_of(interaction) if public else str(interaction.locale)
        return Audience(public, locale, is_member(interaction))

    async def admit_press(self, interaction: discord.Interaction, audience: Audience) -> None:
        """Count a press under a picture; raise BadInput if it comes too early or the bot is to be silent by now."""
        now = await self.admit(interaction)
        if audience.public and not now.public:
            raise BadInput(SILENT)

    def admit_alone(self, interaction: discord.Interaction) -> str:
        """Count a picture that only its user sees, and return their language; raise BadInput if it comes too early."""
        self._manners.admit_press(interaction, None)
        return self.house.languages.of_interaction(interaction)

    async def check(self, interaction: discord.Interaction, poster_id: int, since: datetime | None = None) -> None:
        """Raise BadInput if whoever asks, or whoever posted the photo, wants to be left alone by now."""
        if await self.house.privacy.is_out(interaction.user.id):
            raise BadInput(YOU_LEFT)
        if not await self.house.privacy.may_keep(poster_id, since or discord.utils.utcnow()):
            raise BadInput(LEFT_ALONE)

    async def draw(self, interaction: discord.Interaction, wish: Wish, seed: int) -> Drawing:
        """Return somebody who does not exist."""
        desk, lane = self.house.desk, interaction.channel_id or 0
        with desk.seat(lane):
            return await desk.run(partial(desk.engine.draw, wish, seed), lane=lane)

    async def begin(self, interaction: discord.Interaction, sitter: Sitter, change: str) -> tuple[Scene, bytes]:
        """Return who is in a photo, and a GIF of its largest face; raise BadInput as ``morph`` does."""
        engine = self.house.desk.engine

        def look_and_morph(data: bytes) -> tuple[Scene, bytes]:
            scene = engine.look(data)
            return scene, engine.morph(data, change, faces_of(scene)[0].box if faces_of(scene) else None)

        return await self._of(interaction, sitter, look_and_morph)

    async def morph(self, interaction: discord.Interaction, sitter: Sitter, change: str, face: Person) -> bytes:
        """Return a GIF of somebody's face that changes and changes back; raise BadInput if there is none to be had."""
        engine = self.house.desk.engine
        return await self._of(interaction, sitter, lambda data: engine.morph(data, change, face.box))

    def drop(self, message_ids: Collection[int]) -> None:
        """Stop what is being made of photos whose messages are gone."""
        for message_id in message_ids:
            for task in self._sitting.pop(message_id, ()):
                task.cancel()

    async def _of(self, interaction: discord.Interaction, sitter: Sitter, work: Callable[[bytes], T]) -> T:
        """Do some work with a photo, unless it goes meanwhile or somebody wants it left alone."""
        desk, lane, since = self.house.desk, interaction.channel_id or 0, discord.utils.utcnow()
        await self.check(interaction, sitter.poster_id, since)
        with desk.seat(lane), self._while_there(sitter):
            data = await incoming.download(sitter.file)
            done = await desk.run(partial(work, data), lane=lane)
            await self.check(interaction, sitter.poster_id, since)
        return done

    @contextmanager
    def _while_there(self, sitter: Sitter) -> Iterator[None]:
        """Raise Vanished as soon as the message is gone that a photo is in."""
        task, message_id = asyncio.current_task(), sitter.message_id
        if task is None or message_id is None:
            yield
            return
        self._sitting.setdefault(message_id, set()).add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._sitting.get(message_id, ()):  # it was dropped, so this is no farewell of the bot
                task.uncancel()
                raise Vanished from None
            raise
        finally:
            if tasks := self._sitting.get(message_id):
                tasks.discard(task)
            if not tasks:
                self._sitting.pop(message_id, None)


def faces_of(scene: Scene) -> list[Person]:
    """Return the people of a photo who have a face, the largest first, as the engine counts them."""
    faces = [(person.box.area, person) for person in scene.people if person.box]
    return [person for _area, person in sorted(faces, key=lambda face: face[0], reverse=True)]


@asynccontextmanager
async def thinking(interaction: discord.Interaction, *, public: bool) -> AsyncIterator[None]:
    """Show that a picture is being made; where it comes to nothing, only its user hears why."""
    await interaction.response.defer(ephemeral=not public, thinking=True)
    try:
        yield
    except BaseException as error:
        # What only its user hears cannot fill an answer that everybody sees; when the bot stops, nobody hears anything.
        if public or not isinstance(error, Exception):
            with suppress(discord.HTTPException, aiohttp.ClientError):
                await interaction.delete_original_response()
        raise
