"""One soak: the places, the people, what they do how often, and what is measured meanwhile."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.loopback.permissions import MANAGE_WEBHOOKS
from tests.loopback.server import LoopbackDiscord
from tests.soak.child import Child, child
from tests.soak.crowd import Lane, Stage
from tests.soak.ledger import Ledger
from tests.soak.memory import Remembered
from tests.soak.pace import Pace
from tests.soak.presses import Hands
from tests.soak.report import Report
from tests.soak.trouble import Trouble
from tests.soak.upkeep import Upkeep, checked, limits_told

AT_ONCE = 9  # acts, of one or two messages; see SEATS
SAMPLES = 10
PATIENCE = 20.0  # seconds that this Discord waits for interactions, as two processes share this machine; see ``late``
QUIET = 1.0  # seconds in which answers that nobody awaits can still come

Act = Callable[[], Awaitable[None]]


def acts(lane: Lane) -> tuple[list[Act], list[int]]:
    """Return what people do in a lane, and how often."""
    hands = Hands(lane)
    weighed: dict[Act, int] = {
        lane.photo: 14, lane.reply: 26, lane.chat: 12, lane.go_on: 8, lane.unasked: 8, lane.bad: 7,
        lane.together: 5, lane.album: 4, lane.machine: 4, lane.ping: 3, lane.ask_about: 3, lane.spoiler: 3,
        lane.persona: 3, lane.hidden: 2, lane.forwarded: 2, lane.regret: 3, lane.take_back: 2, lane.forget: 2,
        lane.moderate: 1, lane.vanish: 2,
        hands.again: 5, hands.command: 4, hands.other: 3, hands.persona: 3, hands.delete: 2, hands.talk: 3,
        hands.who: 2, hands.complete: 2,
    }  # fmt: skip
    return list(weighed), list(weighed.values())


async def live(lane: Lane) -> None:
    """Let people do one thing after the other until enough was posted."""
    choices, weights = acts(lane)
    stage = lane.stage
    while not stage.pace.over:
        async with stage.pace.act():
            [act] = stage.dice.choices(choices, weights)
            try:
                await act()
            except Exception as problem:  # noqa: BLE001 - the soak goes on, and the table shows it
                what = f"{lane.channel.name}: {act.__name__} failed: {problem!r}"[:300]
                stage.ledger.blame(stage.ledger.wrong, what, lane.channel)


def places(stage: Stage) -> tuple[list[Lane], Lane]:
    """Return the places of a crowd, and one for somebody who comes and goes."""
    discord, world = stage.discord, stage.discord.world
    names = [("Cleo", "en-US"), ("Dan", "en-US"), ("Eve", "en-US"), ("Finn", "en-US"), ("琳", "zh-CN"), ("伟", "zh-CN")]
    cleo, dan, eve, finn, lin, wei = (discord.add_user(name, locale=locale) for name, locale in names)
    second = world.add_guild("第二", locale="zh-CN")
    crowd = [discord.ada, discord.ben, cleo, dan]
    lanes = [
        Lane(stage, discord.room, crowd),
        Lane(stage, world.add_channel("every photo"), crowd, hears=True),
        Lane(stage, world.add_channel("no webhooks", denied=MANAGE_WEBHOOKS), [eve, finn, discord.ada]),
        Lane(stage, world.add_channel("a thread", parent=discord.room), [cleo, eve]),
        Lane(stage, world.add_channel("中文", guild=second), [lin, wei]),
        Lane(stage, world.add_channel("更多", guild=second), [lin, wei, finn]),
        *(Lane(stage, world.direct(user), [user]) for user in (discord.ada, eve, lin)),
    ]
    shy = discord.add_user("Shy")
    return lanes, Lane(stage, world.add_channel("shy"), [shy, discord.add_user("Friend")])


async def measure(bot: Child, stage: Stage, upkeep: Upkeep, lanes: list[Lane]) -> list[dict[str, Any]]:
    """Look at the bot's process after every tenth of the messages, and keep the server small."""
    samples: list[dict[str, Any]] = []
    while not stage.pace.over:
        await asyncio.sleep(0.5)
        spoken = {m.id for lane in lanes for talk in lane.talks for m in (talk.photo, *talk.voices)}
        upkeep.tidy(spoken | stage.ledger.awaited())
        if stage.pace.posted >= (len(samples) + 1) * stage.pace.goal / SAMPLES and len(samples) < SAMPLES - 1:
            async with stage.pace.alone():  # what is in the making takes memory, too
                samples.append({"posted": stage.pace.posted, **await bot.state()})
            print(f"{stage.pace.posted} messages of {stage.pace.goal}", file=sys.stderr)
    return samples


async def soak(messages: int, engine: str, seed: int, openapi: float, minutes: float = 60.0) -> Report:
    """Let people post so many messages, or for so long at most, and return what came of it."""
    async with LoopbackDiscord() as discord:
        stage = Stage(
            discord, Ledger(), Remembered(), Pace(messages, AT_ONCE, 60 * minutes), Random(seed), engine == "real"
        )
        lanes, shy = places(stage)
        discord.rest.posting.told = stage.ledger.told
        discord.rest.interactions.deadline = PATIENCE
        upkeep, trouble = Upkeep(discord), Trouble(stage, lanes, shy)
        with tempfile.TemporaryDirectory() as folder, checked(openapi, Random(seed)), limits_told():
            host, port = discord._runner.addresses[0][:2]
            database, log = Path(folder) / "bot.db", Path(folder) / "log"
            hearing = {lane.channel.id for lane in lanes if lane.hears}
            async with child(f"{host}:{port}", f"sqlite+aiosqlite:///{database}", hearing, engine, log) as bot:
                await _ready(discord, bot)
                begun = time.monotonic()
                measuring = asyncio.create_task(measure(bot, stage, upkeep, [*lanes, shy]))
                step = max(8, messages // 50)
                await asyncio.gather(trouble.go_on(step), *(live(lane) for lane in lanes))
                seconds = time.monotonic() - begun
                samples = await measuring
                await asyncio.sleep(QUIET)
                samples.append({"posted": stage.pace.posted, **await bot.state()})
                await bot.stop()
            upkeep.tidy(())
            stage.ledger.finish()
            return Report(
                engine=engine,
                seed=seed,
                openapi=openapi,
                seconds=seconds,
                posted=stage.pace.posted,
                ledger=stage.ledger,
                troubles=trouble.made,
                requests=upkeep.requests,
                refusals=upkeep.refusals,
                violations=list(discord.rest.violations),
                own_faults=list(discord.rest.own_faults),
                sessions=(discord.gateway.identified, discord.gateway.resumed),
                samples=samples,
                last=bot.last,
                unclosed=bot.unclosed,
                remembered=stage.memory.compare(database),
                log="\n\n".join([*stage.ledger.pages, log.read_text(encoding="utf-8", errors="replace")]),
            )


async def _ready(discord: LoopbackDiscord, bot: Child) -> None:
    """Wait until the bot has logged in and told its commands."""
    async with asyncio.timeout(120):
        while not (discord.gateway.identified and discord.rest.commands.registered):
            if not bot.alive:
                await bot.state()  # raises with what it said
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
