"""What goes wrong now and then: the network, Discord itself, moderators, floods, people who want to be forgotten."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable

from bot.cogs.photos import FORGOTTEN, YOU_LEFT
from bot.cogs.stage import LEFT_ALONE
from bot.cogs.standing import ERASED
from bot.ui.base import SORRY
from tests.loopback.world import User
from tests.soak import album
from tests.soak.crowd import GONE, MEANWHILE, Lane, Stage, Talk
from tests.soak.ledger import BUSY
from tests.soak.presses import HESITATION, Hands

FLOOD = 40  # messages at once, twice as many as may wait
# discord.py tries the first two again and gives up at the third, except with webhooks.
LIMITED, DOWN, AWAY = 429, 500, 503
ROUTES = (
    ("POST", r"^/channels/\d+/messages$"),
    ("POST", r"^/webhooks/\d+/hook-token"),
    ("POST", r"^/channels/\d+/typing$"),
    ("POST", r"/callback$"),
    ("PATCH", r"^/webhooks/\d+$"),
    ("PATCH", r"/messages/"),
    ("GET", r"^/channels/\d+/messages/"),
    ("DELETE", r"/messages/"),
    ("GET", r"^/channels/\d+/webhooks$"),
)
SENDING = r"/messages$|/hook-token"


class Trouble:
    """Makes one trouble after the other; ``made`` counts them."""

    def __init__(self, stage: Stage, lanes: list[Lane], shy: Lane) -> None:
        self._stage, self._lanes, self._shy = stage, lanes, shy
        self._discord, self._ledger, self._dice = stage.discord, stage.ledger, stage.dice
        self.made: Counter[str] = Counter()
        self._kinds: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("429 and 500 on any route", self.faults),
            ("connection broken, resumed", self.broken),
            ("opt-out, opt-in and forget-me", self.wishes),
            ("503 while sending", self.away),
            ("flood", self.flood),
            ("channel deleted", self.channel_gone),
            ("429 and 500 on any route", self.faults),
            ("thread deleted", self.thread_gone),
            ("webhook deleted", self.hook_gone),
            ("connection broken, new session", self.new_session),
        )

    async def go_on(self, step: int) -> None:
        """Make trouble every ``step`` messages."""
        for number, (name, make) in enumerate(itertools.cycle(self._kinds), 1):
            while self._stage.pace.posted < number * step and not self._stage.pace.over:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if self._stage.pace.over:
                return
            self._ledger.diary.note(None, f"trouble begins: {name}")
            try:
                await make()
            except Exception as problem:  # noqa: BLE001 - the soak goes on, and the table shows it
                self._ledger.blame(self._ledger.wrong, f"{name} failed: {problem!r}"[:300], self._shy.channel)
            self.made[name] += 1
            self._ledger.diary.note(None, f"trouble is over: {name}")

    async def faults(self) -> None:
        """Let Discord refuse some requests once; a route that waits for its refusal is left alone."""
        pending = {(fault.method, fault.path) for fault in self._discord.rest.faults}
        free = [route for route in ROUTES if route not in pending]
        for method, path in self._dice.sample(free, min(3, len(free))):
            status = self._dice.choice((LIMITED, DOWN))
            self._ledger.diary.note(None, f"the next {method} {path} gets {status}")
            self._discord.fail_next(method, path, status)

    async def away(self) -> None:
        """Let Discord be down when an answer is sent: a sentence that says so is right, too."""
        lane = self._dice.choice(self._lanes)
        async with self._stage.pace.alone():
            self._discord.fail_next("POST", SENDING, AWAY)
            posted = await lane.post(lane.somebody(), lane.mention, files=[album.photo(self._dice)])
            awaited = lane.expect("photo while Discord is down", posted, spared=[SORRY])
            await self._ledger.settle(awaited)
            lane.spoke(posted, awaited)

    async def broken(self) -> None:
        """Break the connection; whatever is said meanwhile has to be answered after it was resumed."""
        async with self._stage.pace.hands_off():
            before = self._discord.gateway.resumed
            await self._discord.gateway.drop()
            await self._discord.until(lambda: self._discord.gateway.resumed > before)

    async def new_session(self) -> None:
        """Break the connection so that it cannot be resumed, while nobody says anything."""
        gateway = self._discord.gateway
        async with self._stage.pace.alone():
            before, gateway.may_resume = gateway.identified, False
            await gateway.drop()
            await self._discord.until(lambda: gateway.identified > before)
            gateway.may_resume = True
            del gateway.sessions[:-1]
            await asyncio.sleep(0.1)

    async def hook_gone(self) -> None:
        """Delete the bot's webhooks, as a moderator may."""
        for hook in list(self._discord.world.webhooks.values()):
            if hook.owner is self._discord.world.bot and self._dice.random() < 0.5:
                del self._discord.world.webhooks[hook.id]

    async def flood(self) -> None:
        """Post more photos at once than may wait: each is answered, or told that there are too many."""
        lane = next(lane for lane in self._lanes if lane.channel.guild)
        async with self._stage.pace.alone():
            count = min(FLOOD, self._stage.pace.goal - self._stage.pace.posted)
            file = album.photo(self._dice, real=self._stage.real)
            posts = [await lane.post(lane.somebody(), lane.mention, files=[file]) for _ in range(count)]
            awaited = [lane.expect("flood", post, spared=[BUSY]) for post in posts]
            await self._ledger.settle(*awaited, patience=180.0)
            for post, one in zip(posts, awaited, strict=True):
                lane.spoke(post, one)

    async def channel_gone(self) -> None:
        """Delete a channel in which people talk, and in which a photo is being answered."""
        await self._gone(Lane(self._stage, await self._discord.open_channel("short-lived"), self._lanes[0].people))

    async def thread_gone(self) -> None:
        """Delete a thread in the same way."""
        thread = await self._discord.start_thread(self._discord.room, "short-lived")
        await self._gone(Lane(self._stage, thread, self._lanes[0].people))

    async def _gone(self, lane: Lane) -> None:
        async with self._stage.pace.act():
            for act in (lane.photo, lane.reply, lane.photo, lane.go_on):
                await act()
            last = await lane.post(lane.somebody(), lane.mention, files=[album.photo(self._dice)])
            awaited = lane.expect("deleted while answered", last, optional=True, spared=[GONE])
            self._stage.memory.forget(last.id)
            await asyncio.sleep(self._dice.random() * 0.05)
            self._stage.memory.forget_channel(lane.channel.id)
            await self._discord.delete_channel(lane.channel)
            await self._ledger.settle(awaited, patience=MEANWHILE)

    async def wishes(self) -> None:
        """Let somebody go away, come back, and have everything erased; others see what follows."""
        lane, hands = self._shy, Hands(self._shy)
        shy, other = lane.people
        async with self._stage.pace.act():
            await lane.photo(author=shy)
            if not lane.talks:
                return
            talk = lane.talks[-1]
            await lane.reply()  # whoever opts out before an answer is stored is not remembered at all
            await self._command(hands, shy, "privacy opt-out")
            photo = await lane.post(shy, lane.mention, files=[album.photo(self._dice)])
            await self._ledger.settle(lane.expect("photo after opting out", photo, want=YOU_LEFT))
            await lane.ignored(shy, "look", files=[album.photo(self._dice)])
            asked = await lane.post(other, "hello there", reply_to=talk.voices[0])
            await self._ledger.settle(lane.expect("reply about who opted out", asked, want=LEFT_ALONE))
            await hands.use("button of who opted out", hands.press(other, talk.voices[0], "Again"))
            await self._command(hands, shy, "privacy opt-in")
            await lane.photo(author=shy)
            await self._forget_me(lane, hands, talk)
            lost = await lane.post(other, "still there?", reply_to=talk.voices[0])
            await self._ledger.settle(lane.expect("reply to what was erased", lost, want=FORGOTTEN))

    async def _command(self, hands: Hands, user: User, name: str) -> None:
        await hands.use(f"/{name}", self._discord.slash(user, hands.lane.channel, name))

    async def _forget_me(self, lane: Lane, hands: Hands, talk: Talk) -> None:
        """Erase everything, also what is only being answered, to whoever asks."""
        user, other = lane.people
        asked = await hands.use("/privacy forget-me", self._discord.slash(user, lane.channel, "privacy forget-me"))
        if asked is None or asked.message is None:
            return
        await asyncio.sleep(HESITATION)
        last = await lane.post(user, lane.mention, files=[album.photo(self._dice)])
        self._stage.memory.unsure.add(last.id)  # the bot may hear of it only after it erased the rest
        waiting = [await lane.post(who, "one more thing", reply_to=talk.voices[0]) for who in (user, other)]
        awaited = [lane.expect("erased while answered", last, spared=[LEFT_ALONE])]
        spared = [FORGOTTEN, LEFT_ALONE, ERASED]
        awaited += [lane.expect("reply to what is erased meanwhile", reply, spared=spared) for reply in waiting]
        await asyncio.sleep(self._dice.random() * HESITATION / 10)
        pressed = await hands.use("button Erase everything", hands.press(user, asked.message, "Erase everything"))
        if pressed is not None:
            await pressed.more()  # until it says that everything is erased
        self._stage.memory.forget_user(user.id)
        lane.talks.clear()
        await self._ledger.settle(*awaited)
