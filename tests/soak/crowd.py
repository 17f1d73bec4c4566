"""People in one channel, thread or direct talk: they post, reply and chat, and know what has to come back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bot.cogs.photos import FORGOTTEN, HINT, NO_PHOTO
from bot.cogs.status import DIRECT
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel, Message, User
from tests.soak import album
from tests.soak.diary import told
from tests.soak.ledger import SPEAKS, Awaited, Ledger
from tests.soak.memory import Remembered
from tests.soak.pace import Pace

SAYINGS = (
    "what is your name?",
    "do you like it here?",
    "why?",
    "tell me more",
    "haha",
    "are you hungry today?",
    "what do you think about rain",
    "I don't believe you!",
    "你好吗？",
    "how old are you",
    "😀😀",
    "x" * 700,
)
MEANWHILE = 1.0  # seconds that people wait for what may come of something they deleted
GONE = "That photo is gone; post it again."
CHATTER = ("good morning", "did you see the match?", "brb", "lol", "https://example.com/a.jpg", "nice one")


@dataclass(eq=False)
class Talk:
    """A photo and those answers about it that can be replied to; ``alone`` while only one of it has spoken."""

    photo: Message
    voices: list[Message]
    alone: bool = True


@dataclass
class Stage:
    """What all lanes share."""

    discord: LoopbackDiscord
    ledger: Ledger
    memory: Remembered
    pace: Pace
    dice: Random
    real: bool = False


@dataclass(eq=False)
class Lane:
    """One place and the people in it; ``hears``: every photo is answered there."""

    stage: Stage
    channel: Channel
    people: Sequence[User]
    hears: bool = False
    talks: deque[Talk] = field(default_factory=lambda: deque(maxlen=6))

    @property
    def discord(self) -> LoopbackDiscord:
        return self.stage.discord

    @property
    def ledger(self) -> Ledger:
        return self.stage.ledger

    @property
    def dice(self) -> Random:
        return self.stage.dice

    @property
    def direct(self) -> bool:
        """Whether this is a direct talk with the bot."""
        return self.channel.guild is None

    @property
    def mention(self) -> str:
        """What addresses the bot, which direct messages do by themselves."""
        return "" if self.direct else self.discord.mention

    def somebody(self) -> User:
        """Return one of the people."""
        return self.dice.choice(self.people)

    def talk(self) -> Talk | None:
        """Return one of the latest talks, if there are any."""
        return self.dice.choice(self.talks) if self.talks else None

    async def post(self, author: User, content: str = "", **more: Any) -> Message:
        """Post a message, which counts."""
        self.stage.pace.posted += 1
        posted = await self.discord.post(self.channel, author, content, **more)
        self.ledger.diary.note(self.channel, f"{author.name} posts {told(posted)}")
        return posted

    async def delete(self, message: Message) -> None:
        """Delete a message, as its author or a moderator may."""
        self.ledger.diary.note(self.channel, f"somebody deletes {message.id}")
        await self.discord.delete(message)

    async def ignored(self, author: User, content: str = "", **more: Any) -> None:
        """Post something that must not be answered."""
        self.ledger.ignored(await self.post(author, content, **more))

    def expect(self, kind: str, *messages: Message, want: str = SPEAKS, **more: Any) -> Awaited:
        """Await one answer to a message here."""
        return self.ledger.expect(kind, self.channel, (m.id for m in messages), want, **more)

    def spoke(self, photo: Message, *awaited: Awaited) -> Talk | None:
        """Remember the talk that began with what was awaited, if anybody spoke."""
        voices = [one.answer for one in awaited if one.got == "in character" and one.answer]
        if any(one.got in ("sorry", "nothing", "wrong") for one in awaited):
            self.stage.memory.unsure.add(photo.id)
        if not voices:
            return None
        self.stage.memory.spoke(photo.id, photo.author.id, self.channel.id)
        talk = Talk(photo, list(voices), alone=len(awaited) == 1)
        self.talks.append(talk)
        return talk

    async def photo(self, kind: str = "photo", *, author: User | None = None, name: str = "me", text: str = "") -> None:
        """Post a photo for the bot and see it answered."""
        file = album.photo(self.dice, real=self.stage.real, name=name)
        posted = await self.post(author or self.somebody(), f"{self.mention} {text}", files=[file])
        awaited = self.expect(kind, posted)
        await self.ledger.settle(awaited)
        self.spoke(posted, awaited)

    async def spoiler(self) -> None:
        """Post a photo behind a spoiler, which is answered as somebody asks for it."""
        await self.photo("spoiler", name="SPOILER_me")

    async def persona(self) -> None:
        """Ask for a character by name."""
        await self.photo("photo for a character", text="as a pirate")

    async def unasked(self) -> None:
        """Post a photo without a word to the bot: answered only where every photo is."""
        file = album.photo(self.dice, real=self.stage.real)
        if self.hears or self.direct:
            posted = await self.post(self.somebody(), "look", files=[file])
            awaited = self.expect("photo without a mention", posted)
            await self.ledger.settle(awaited)
            self.spoke(posted, awaited)
        else:
            await self.ignored(self.somebody(), "look", files=[file])

    async def album(self) -> None:
        """Post several photos at once, one of which may be none; each is answered."""
        count, broken = self.dice.randint(2, 4), self.dice.random() < 0.4
        files: list[album.File] = [
            album.photo(self.dice, real=self.stage.real, name=f"me{number}") for number in range(count)
        ]
        wants = [SPEAKS] * count
        if broken:
            bad = album.bad(self.dice)
            files.append(bad.file)
            if bad.sentence != NO_PHOTO:  # what does not claim to be a photo is left out among photos
                wants.append(bad.sentence)
        posted = await self.post(self.somebody(), self.mention, files=files)
        awaited = [self.expect("one of several photos", posted, want=want) for want in wants]
        await self.ledger.settle(*awaited)
        self.spoke(posted, *awaited[:count])

    async def bad(self) -> None:
        """Post a file that is no photo."""
        bad = album.bad(self.dice)
        posted = await self.post(self.somebody(), self.mention, files=[bad.file])
        await self.ledger.settle(self.expect("bad file", posted, want=bad.sentence))

    async def forwarded(self) -> None:
        """Forward a photo to the bot."""
        talk = self.talk()
        if talk and len(talk.photo.files) == 1:
            posted = await self.post(self.somebody(), self.mention, forwards=talk.photo)
            awaited = self.expect("forwarded photo", posted)
            await self.ledger.settle(awaited)
            self.spoke(posted, awaited)

    async def reply(self) -> None:
        """Reply to somebody in a photo."""
        if talk := self.talk():
            about, text = self.dice.choice(talk.voices), self.dice.choice(SAYINGS)
            posted = await self.post(self.somebody(), text, reply_to=about, ping=self.dice.random() < 0.5)
            awaited = self.expect("reply", posted)
            await self.ledger.settle(awaited)
            if awaited.answer and awaited.got == "in character":
                talk.voices.append(awaited.answer)
                del talk.voices[1:-3]

    async def together(self) -> None:
        """Let two people reply at the same time."""
        await asyncio.gather(self.reply(), self.reply())

    async def go_on(self) -> None:
        """Mention the bot without a reply: whoever spoke last goes on."""
        if self.talks:
            posted = await self.post(self.somebody(), f"{self.mention} {self.dice.choice(SAYINGS)}")
            await self.ledger.settle(self.expect("mention without a reply", posted))

    async def ping(self) -> None:
        """Mention the bot and say nothing."""
        posted = await self.post(self.somebody(), self.discord.mention)
        await self.ledger.settle(self.expect("mention alone", posted, want=DIRECT if self.direct else HINT))

    async def ask_about(self) -> None:
        """Reply to somebody's photo and mention the bot."""
        if self.direct or self.hears:
            return
        file = album.photo(self.dice, real=self.stage.real)
        photo = await self.post(self.somebody(), "my new photo", files=[file])
        asking = await self.post(self.somebody(), self.mention, reply_to=photo)
        awaited = self.expect("mention under a photo", photo, asking)
        await self.ledger.settle(awaited)
        self.spoke(photo, awaited)

    async def chat(self) -> None:
        """Say something that is not meant for the bot."""
        if not self.direct:
            await self.ignored(self.somebody(), self.dice.choice(CHATTER))

    async def machine(self) -> None:
        """Let another bot or a webhook post a photo for the bot."""
        file = album.photo(self.dice)
        if self.dice.random() < 0.5:
            await self.ignored(self.discord.other_bot, self.mention, files=[file])
        elif not self.direct:
            await self.ignored(self.somebody(), self.mention, files=[file], webhook=True)

    async def hidden(self) -> None:
        """Post a photo behind a spoiler and say nothing: it is nobody's business."""
        if not self.direct:
            await self.ignored(self.somebody(), files=[album.photo(self.dice, name="SPOILER_me")])

    async def regret(self) -> None:
        """Delete a photo while it is being answered."""
        posted = await self.post(self.somebody(), self.mention, files=[album.photo(self.dice, real=self.stage.real)])
        awaited = self.expect("deleted while answered", posted, optional=True, spared=[GONE])
        self.stage.memory.forget(posted.id)
        await asyncio.sleep(self.dice.random() * 0.08)
        await self.delete(posted)
        await self.ledger.settle(awaited, patience=MEANWHILE)

    async def take_back(self) -> None:
        """Delete a reply while it is being answered."""
        if talk := self.talk():
            posted = await self.post(self.somebody(), self.dice.choice(SAYINGS), reply_to=talk.voices[0])
            awaited = self.expect("deleted while answered", posted, optional=True)
            await asyncio.sleep(self.dice.random() * 0.05)
            await self.delete(posted)
            await self.ledger.settle(awaited, patience=MEANWHILE)

    async def forget(self) -> None:
        """Delete a photo that was answered, or what was answered, and reply to it all the same."""
        talk = self.talk()
        if talk is None or talk.photo.gone:
            return
        opening = talk.voices[0]
        self.talks.remove(talk)
        await self.delete(talk.photo)
        self.stage.memory.forget(talk.photo.id)
        reply = await self.post(self.somebody(), f"{self.mention} are you still there?", reply_to=opening)
        await self.ledger.settle(self.expect("reply to what is forgotten", reply, want=FORGOTTEN))

    async def vanish(self) -> None:
        """Delete a photo while somebody waits for an answer about it: they get one, or are told that it is gone."""
        talk = self.talk()
        if talk is None or talk.photo.gone:
            return
        asked = await self.post(self.somebody(), self.dice.choice(SAYINGS), reply_to=self.dice.choice(talk.voices))
        awaited = self.expect("reply about what goes meanwhile", asked, spared=[FORGOTTEN])
        self.stage.memory.forget(talk.photo.id)
        await asyncio.sleep(self.dice.random() * 0.05)
        await self.delete(talk.photo)
        self.talks.remove(talk)
        await self.ledger.settle(awaited)

    async def moderate(self) -> None:
        """Let a moderator delete the first words about a photo."""
        talk = self.talk()
        if talk is None or self.direct:
            return
        self.talks.remove(talk)
        await self.delete(talk.voices[0])
        if talk.alone:
            self.stage.memory.forget(talk.photo.id)
        else:
            self.stage.memory.unsure.add(talk.photo.id)
