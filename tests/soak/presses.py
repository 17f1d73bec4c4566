"""What people press, choose and type as commands, and what has to come of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from bot.locales import say
from tests.loopback.exchange import Exchange
from tests.loopback.world import Message, User
from tests.soak import album
from tests.soak.crowd import Lane, Talk
from tests.soak.ledger import EDIT, PATIENCE, Awaited, wording

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
HESITATION = 1.0  # seconds until somebody uses a menu or a button that only they see
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
                self.ledger.blame(self.ledger.lost, f"{kind}: {problem}", self.lane.channel)
                return None
        took = time.monotonic() - exchange.started
        self.ledger.interaction(kind, exchange.kind, took, self.lane.channel)
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
        asked = await self.use("button Again", self.press(self.lane.somebody(), voice, "Again"))
        if told := await self.instead(awaited, asked, voice):
            self.refused("button Again", told)

    async def other(self) -> None:
        """Let somebody else speak: another one of the photo, or another character where there is only one."""
        if (talk := self.lane.talk()) is None or talk.photo.gone:
            return
        voice, user = self.dice.choice(talk.voices), self.lane.somebody()
        awaited = self.anew(talk, voice)
        asked = await self.use("button Someone else", self.press(user, voice, "Someone else"))
        menu = await self.instead(awaited, asked, voice)
        if menu is None:
            await self.taken_over(talk, voice, awaited)
        elif not menu.components:
            self.refused("button Someone else", menu)
        elif self.dice.random() < 0.7:  # the others change their mind
            awaited = self.lane.expect("somebody else", talk.photo)
            chosen = await self.use("menu of people", self.choose(user, menu, WHO, "1"))
            if told := await self.instead(awaited, chosen, menu):
                self.refused("menu of people", told)
            elif awaited.answer:
                talk.alone = False

    async def persona(self) -> None:
        """Choose another character."""
        if (talk := self.lane.talk()) is None or talk.photo.gone:
            return
        voice, user = self.dice.choice(talk.voices), self.lane.somebody()
        asked = await self.use("button Persona", self.press(user, voice, "Persona"))
        if asked is None:
            return
        await self.discord.until(lambda: asked.messages)  # it may come in a follow-up
        if self.dice.random() < 0.7:
            menu, awaited = asked.messages[0], self.anew(talk, voice)
            chosen = await self.use("menu of characters", self.choose(user, menu, BUILT_IN, "pirate"))
            if told := await self.instead(awaited, chosen, voice, menu):
                self.refused("menu of characters", told)
            await self.taken_over(talk, voice, awaited, menu=True)

    def anew(self, talk: Talk, voice: Message) -> Awaited:
        """Await the same thing said as another character: anew by a webhook, else in the same message."""
        if voice.webhook_id:
            return self.lane.expect("as somebody else", talk.photo)
        return self.lane.expect("as somebody else", voice, want=EDIT)

    async def instead(self, awaited: Awaited, asked: Exchange | None, *known: Message) -> Message | None:
        """Wait for what is awaited; return what the user is told in its place, if that happens.

        The answer of the bot may be only that it thinks about it; what is ``known`` already is nothing to be told.
        """

        def told() -> Message | None:
            return next((one for one in asked.messages if one not in known), None) if asked else None

        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE if asked else 0):
                while not (awaited.done.is_set() or told()):  # noqa: ASYNC110 - one of two, and one is no event
                    await asyncio.sleep(0.01)
        if asked is None or told():
            self.ledger.withdraw(awaited)
        else:
            await self.ledger.settle(awaited)
        return told()

    def refused(self, kind: str, told: Message) -> None:
        """Note that something was refused, which it must not be here."""
        what = f"{kind} in {self.lane.channel.name} got {told.content[:160]!r}"
        self.ledger.blame(self.ledger.wrong, what, self.lane.channel)

    async def taken_over(self, talk: Talk, voice: Message, awaited: Awaited, *, menu: bool = False) -> None:
        """See that new words took the place of old ones.

        Where only a menu was used and a moderator deleted the webhook, nothing may delete its words: no button under
        them was pressed, whose press lets the bot do so.
        """
        if voice.webhook_id and awaited.answer:
            talk.voices[talk.voices.index(voice)] = awaited.answer
            world = self.discord.world
            await self.discord.until(lambda: voice.gone or (menu and voice.webhook_id not in world.webhooks))

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
        awaited = self.lane.expect(kind, photo)
        entry = say(user.locale, "Make it talk")
        asked = await self.use("menu Make it talk", self.discord.menu(user, self.lane.channel, entry, photo))
        if told := await self.instead(awaited, asked):
            self.refused("menu Make it talk", told)
        self.lane.spoke(photo, awaited)

    async def who(self) -> None:
        """Ask who is in a photo."""
        if (talk := self.lane.talk()) is None or talk.photo.gone or not talk.photo.files:
            return
        user = self.lane.somebody()
        entry = say(user.locale, "Who is in this?")
        told = await self.use("menu Who is in this?", self.discord.menu(user, self.lane.channel, entry, talk.photo))
        if told and (not told.message or wording(NOBODY).search(told.message.content) is None):
            what = f"who is in this: {told.messages and told.messages[0].content!r}"
            self.ledger.blame(self.ledger.wrong, what, self.lane.channel)

    async def command(self) -> None:
        """Use a slash command."""
        name, options = self.dice.choice(COMMANDS)
        told = await self.use(f"/{name}", self.discord.slash(self.lane.somebody(), self.lane.channel, name, **options))
        if told and not told.ephemeral:
            self.ledger.blame(self.ledger.wrong, f"/{name} was answered to everybody", self.lane.channel)

    async def complete(self) -> None:
        """Type into a command."""
        user = self.lane.somebody()
        async with self.lane.stage.pace.hand():
            offered = await self.discord.complete(user, self.lane.channel, "persona use", focused="persona", typed="pi")
        self.ledger.interaction("completion", "offered" if offered else "nothing", 0.0, self.lane.channel)


def _buttons(message: Message) -> list[dict[str, Any]]:
    return [part for row in message.components for part in row.get("components", [])]
