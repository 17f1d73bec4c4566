"""What the machine around the bot may ask it, on a loopback port: /healthz, is it well; /metrics, how it fares."""

from __future__ import annotations

import logging

import aiohttp
import discord
from aiohttp import web
from discord.ext import commands

from bot.cogs.house import House
from bot.domain import Failure
from bot.runtime import metrics

log = logging.getLogger(__name__)

HOST = "127.0.0.1"  # only this machine may ask
STUCK = 60.0  # seconds of work without any result after which the engine hangs
SLOWEST = 30.0  # seconds of latency beyond which a measurement is none: Discord would have cut the connection


class Health(commands.Cog):
    """Serves both pages while the bot runs, if the settings name a port."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lost: set[int | None] = set()  # shards whose connection broke
        self._runner: web.AppRunner | None = None

    async def cog_load(self) -> None:
        """Begin to serve; raise Failure when the port is taken."""
        port = self._house.settings.health_port
        if not port:
            return
        app = web.Application()
        app.add_routes([web.get("/healthz", self.healthz), web.get("/metrics", self.metrics)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Failure(
                f"Port {port} of HEALTH_PORT cannot be used ({error.strerror}); choose another, or 0 for none."
            ) from None
        log.info("/healthz and /metrics are at http://%s:%d.", HOST, port)

    async def cog_unload(self) -> None:
        """End to serve."""
        if self._runner:
            await self._runner.cleanup()

    @commands.Cog.listener()
    async def on_shard_disconnect(self, shard_id: int | None) -> None:
        """Remember that a connection broke; discord.py tries again by itself."""
        self._lost.add(shard_id)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int | None) -> None:
        """Remember that a connection stands."""
        self._lost.discard(shard_id)

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int | None) -> None:
        """Remember that a connection stands again."""
        self._lost.discard(shard_id)

    def complaint(self) -> str | None:
        """Return what is wrong in one sentence, None if the bot is well."""
        bot, stuck = self._house.bot, self._house.desk.stuck_for
        if not bot.is_ready():
            return "I am not connected to Discord yet."
        if self._lost:
            return "The connection to Discord is broken; I try again by myself."
        if stuck > STUCK:
            return f"The engine has worked for {stuck:.0f} s without a result; restart me."
        return None

    async def healthz(self, request: web.Request) -> web.Response:
        """Answer 200 when the bot is well, else 503, both with one sentence."""
        complaint = self.complaint()
        return web.Response(text=f"{complaint or 'I am well.'}\n", status=503 if complaint else 200)

    async def metrics(self, request: web.Request) -> web.Response:
        """Answer with everything that is counted."""
        if (latency := latency_of(self._house.bot)) is not None:
            metrics.LATENCY.set(latency)
        page, kind = metrics.page()
        return web.Response(body=page, headers={"Content-Type": kind})


def latency_of(bot: discord.Client) -> float | None:
    """Return the seconds from a heartbeat to its answer, None before one was measured.

    discord.py notes when a heartbeat was sent only afterwards, in a thread; an answer that is quicker than that
    thread is measured from the heartbeat before, some 41 seconds earlier.
    """
    return latency if 0 <= (latency := bot.latency) < SLOWEST else None


def counting_requests() -> aiohttp.TraceConfig:
    """Return what counts Discord's answers, for the ``http_trace`` of a client."""
    trace = aiohttp.TraceConfig()

    async def answered(session: object, context: object, end: aiohttp.TraceRequestEndParams) -> None:
        metrics.REQUESTS.labels(end.method, str(end.response.status)).inc()

    async def failed(session: object, context: object, end: aiohttp.TraceRequestExceptionParams) -> None:
        metrics.REQUESTS.labels(end.method, "failed").inc()

    trace.on_request_end.append(answered)
    trace.on_request_exception.append(failed)
    return trace
