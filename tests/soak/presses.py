"""What people press, choose and type as commands, and what has to come of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from bot.locales import say
from tests.loopback.exchange import Exchange
from tests.loopback.world import Message, User
from tests.soak import album
from tests.soak.crowd import Lane, Talk
from tests.soak.ledger import EDIT, SPEAKS, wording

COMMANDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("help", {}),
    ("status", {}),
    ("persona list", {}),
    ("persona show", {"persona": "pirate"}),
    ("persona use", {"persona": "pirate", "scope": "me"}),
    ("persona reset", {"scope": "me"}),
    ("privacy show", {}),
)
NOBODY = "I recognise nobody, and nothing of this is kept."
WHO, BUILT_IN = "Who shall speak?", "The characters I came with"
HESITATION = 0.5
DEADLINE = 3.0  # seconds that Discord gives


class Hands:
    """The buttons under replies, the menus of messages and the slash commands, used in a lane."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.ledger, self.discord, self.dice = lane.ledger, lane.discord, lane.dice

    async def use(self, kind: str, doing: Awaitable[Exchange]) -> Exchange | None:
        """Use something and note how it was answered; None when it was not."""
        async with self.lane.stage.pace.hand():
            try:
                exchange = await doing
            except AssertionError as problem:
                self.ledger.lost.append(f"{kind}: {problem}")
                return None
        took = time.monotonic() - exchange.started
        self.ledger.interaction(kind, exchange.kind, took)
        if took > DEADLINE and exchange.kind != "deferred":  # those were answered at once, and thought about after
            self.ledger.late.append(kind)
        return exchange

    def press(self, user: User, message: Message, label: str) -> Awaitable[Exchange]:
        """Press a button by its English name, whatever language it is in."""
        names = (say("en-US", label), say("zh-CN", label))
        shown = next(name for name in names if any(name == part["label"] for part in _buttons(message)))
        return self.discord.press(user, message, shown)

    async def choose(self, user: User, message: Message, menu: str, value: str) -> Exchange:
        """Choose in a menu that only its user sees, as fast as people are: the bot must have heard that it is shown."""
        await asyncio.sleep(HESITATION)
        return await self.discord.select(user, message, say(user.locale, menu), value)

    async def again(self) -> None:
        """Ask for other words."""
        if (talk := self.lane.talk()) is None:
            return
        voice = self.dice.choice(talk.voices)
        awaited = self.lane.expect("other words", voice, want=EDIT)
        if await self.use("button Again", self.press(self.lane.somebody(), voice, "Again")):
            await self.ledger.settle(awaited)

    async def other(self) -> None:
        """Let somebody else speak: another one of the photo, or another character where there is only one."""
        if (talk := self.lane.talk()) is None or talk.photo.gone:
            return
        voice, user = self.dice.choice(talk.voices), self.lane.somebody()
        before = len(voice.versions)
        asked = await self.use("button Someone else", self.press(user, voice, "Someone else"))
        if asked is None:
            return
        # When the bot needs a while to know, it asks in a follow-up.
        await self.discord.until(lambda: asked.messages or voice.gone or len(voice.versions) > before)
        if not asked.messages or asked.messages[0] is voice:
            await self.recast(talk, voice)
        elif self.dice.random() < 0.7:  # the others change their mind
            awaited = self.lane.expect("somebody else", talk.photo)
            await self.use("menu of people", self.choose(user, asked.messages[0], WHO, "1"))
            await self.ledger.settle(awaited)
            talk.alone = False

    async def persona(self) -> None:
        """Choose another character."""
        if (talk := self.lane.talk()) is None or talk.photo.gone:
            return
        voice, user = self.dice.choice(talk.voices), self.lane.somebody()
        asked = await self.use("button Persona", self.press(user, voice, "Persona"))
        if asked is None:
            return
        await self.discord.until(lambda: asked.messages)
        if self.dice.random() < 0.7:
            chosen = await self.use("menu of characters", self.choose(user, asked.messages[0], BUILT_IN, "pirate"))
            if chosen:
                await self.recast(talk, voice)

    async def recast(self, talk: Talk, voice: Message) -> None:
        """See the same thing said as another character: anew by a webhook, else in the same message."""
        if voice.webhook_id:
            awaited = self.lane.expect("as somebody else", talk.photo)
            await self.ledger.settle(awaited)
            if awaited.answer:
                talk.voices[talk.voices.index(voice)] = awaited.answer
                # The words of a webhook that a moderator deleted stay.
                await self.discord.until(lambda: voice.gone or voice.webhook_id not in self.discord.world.webhooks)
        else:
            await self.ledger.settle(self.lane.expect("as somebody else", voice, want=EDIT))

    async def delete(self) -> None:
        """Delete an answer, as a moderator may."""
        talk, owner = self.lane.talk(), self.discord.world.owner
        if talk is None or self.lane.direct:
            return
        voice = talk.voices[-1]
        if not await self.use("button Delete", self.press(owner, voice, "Delete")):
            return
        await self.discord.until(lambda: voice.gone)
        talk.voices.remove(voice)
        if not talk.voices:
            self.lane.talks.remove(talk)
            (self.lane.stage.memory.gone if talk.alone else self.lane.stage.memory.unsure).add(talk.photo.id)
        elif len(talk.photo.files) > 1 or not talk.alone:
            self.lane.stage.memory.unsure.add(talk.photo.id)

    async def talk(self) -> None:
        """Let a photo of somebody's talk through the menu of its message."""
        kind = "photo for the menu"
        user, file = self.lane.somebody(), album.photo(self.dice, real=self.lane.stage.real)
        if self.lane.hears or self.lane.direct:
            return
        photo = await self.lane.post(self.lane.somebody(), "nice, is it not?", files=[file])
        awaited = self.lane.expect(kind, photo, want=SPEAKS)
        entry = say(user.locale, "Make it talk")
        if await self.use("menu Make it talk", self.discord.menu(user, self.lane.channel, entry, photo)):
            await self.ledger.settle(awaited)
            self.lane.spoke(photo, awaited)

    async def who(self) -> None:
        """Ask who is in a photo."""
        if (talk := self.lane.talk()) is None or talk.photo.gone or not talk.photo.files:
            return
        user = self.lane.somebody()
        entry = say(user.locale, "Who is in this?")
        told = await self.use("menu Who is in this?", self.discord.menu(user, self.lane.channel, entry, talk.photo))
        if told and (not told.message or wording(NOBODY).search(told.message.content) is None):
            self.ledger.wrong.append(f"who is in this: {told.messages and told.messages[0].content!r}")

    async def command(self) -> None:
        """Use a slash command."""
        name, options = self.dice.choice(COMMANDS)
        told = await self.use(f"/{name}", self.discord.slash(self.lane.somebody(), self.lane.channel, name, **options))
        if told and not told.ephemeral:
            self.ledger.wrong.append(f"/{name} was answered to everybody")

    async def complete(self) -> None:
        """Type into a command."""
        user = self.lane.somebody()
        async with self.lane.stage.pace.hand():
            offered = await self.discord.complete(user, self.lane.channel, "persona use", focused="persona", typed="pi")
        self.ledger.interaction("completion", "offered" if offered else "nothing", 0.0)


def _buttons(message: Message) -> list[dict[str, Any]]:
    return [part for row in message.components for part in row.get("components", [])]
