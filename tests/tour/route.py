"""The whole tour in one language, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.cogs.engine import Engine
from bot.settings import Settings
from tests.loopback.server import TOKEN, LoopbackDiscord
from tests.loopback.story_json import story_json
from tests.loopback.transcript import transcript
from tests.tour import characters, newcomer, places, portraits, talking, visits
from tests.tour.guide import Guide
from tests.tour.visits import Visits

STATIONS: tuple[Callable[[Guide], Awaitable[None]], ...] = (
    newcomer.first_steps,
    characters.look_and_choose,
    characters.make_and_change,
    characters.bring_a_card,
    talking.portrait,
    talking.group,
    talking.buttons,
    talking.menus,
    portraits.drawn,
    portraits.worn,
    portraits.changed,
    talking.elsewhere,
    talking.mistakes,
    places.settings,
    places.abroad,
    places.privacy,
)


@dataclass(frozen=True)
class Report:
    """What a tour has to tell."""

    locale: str
    discord: LoopbackDiscord
    visits: Visits
    seconds: float

    @property
    def transcript(self) -> str:
        """Return what everybody said and did, for people to read."""
        return transcript(self.discord.world, self.discord.story)

    @property
    def story(self) -> list[dict[str, Any]]:
        """Return the same for programs, with all files."""
        return story_json(self.discord.world, self.discord.story, files=True)

    @property
    def faults(self) -> list[str]:
        """What must not be: violations of Discord's rules, faults of the loopback server, things left out."""
        rest = self.discord.rest
        left = [f"not visited: {kind} {name!r}" for kind, name in self.visits.missing]
        return [*rest.violations, *(f"own fault: {fault}" for fault in rest.own_faults), *left]

    def summary(self) -> str:
        """Say in a few lines what was checked and visited."""
        rest = self.discord.rest
        return "\n".join(
            [
                f"{self.locale}: {rest.report()}, {len(rest.own_faults)} faults of the loopback server itself",
                f"  visited {self.visits.report()}",
                f"  {len(rest.operations)} kinds of requests, {len(rest.refusals)} refused; {self.seconds:.1f} s",
            ]
        )


async def tour(locale: str, engine: Engine, database_url: str) -> Report:
    """Lead people through everything the bot can do."""
    settings = Settings(_env_file=None, discord_token=TOKEN, cooldown=0, database_url=database_url)
    async with LoopbackDiscord() as discord:
        discord.world.guild.has_bot = False  # it is invited at the first station
        begun = time.perf_counter()
        async with discord.running(settings, engine):
            guide = Guide(discord, locale)
            for station in STATIONS:
                await station(guide)
            await discord.silence()
        exchanges = list(discord.rest.interactions.exchanges.values())
        seen = visits.count(discord.rest.commands.registered[None], exchanges, discord.story, locale)
        return Report(locale, discord, seen, time.perf_counter() - begun)
