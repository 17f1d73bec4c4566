"""What is set for servers, channels, threads and members, and which of it holds."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from bot.store.database import Database
from bot.store.scopes import FIELDS, KINDS, Choice, Kind, Place, Scopes
from bot.store.tables import now
from tests.store.connections import open_connections

PLACE = Place(guild_id=1, channel_id=20, thread_id=30, user_id=5)


@pytest.fixture
def scopes(database: Database) -> Scopes:
    return Scopes(database)


async def rows(database: Database) -> int:
    return (await database.counts())["scopes"]


async def test_nothing_set_is_nothing_chosen(scopes: Scopes) -> None:
    assert await scopes.resolve(PLACE) == Choice()
    assert await scopes.resolve(Place(None, 20, None, 5)) == Choice()


async def test_the_narrower_scope_wins_field_by_field(scopes: Scopes) -> None:
    later = now() + timedelta(hours=1)
    await scopes.put("server", PLACE, persona_id="pirate", listen="mentions", identity="plain", cooldown=0.0)
    await scopes.put("channel", PLACE, listen="every", paused_until=later)
    await scopes.put("thread", PLACE, listen="never")
    await scopes.put("member", PLACE, persona_id="knight")
    choice = await scopes.resolve(PLACE)
    assert choice == Choice("knight", "never", "plain", 0.0, later, choice.origins)
    assert choice.origins == {
        "persona_id": "member",
        "listen": "thread",
        "identity": "server",
        "cooldown": "server",
        "paused_until": "channel",
    }
    assert (await scopes.resolve(Place(1, 20, None, 5))).listen == "every"
    assert (await scopes.resolve(Place(1, 21, None, 6))).persona_id == "pirate"
    assert await scopes.resolve(Place(2, 22, None, 5)) == Choice()


async def test_only_given_fields_change_and_none_clears(database: Database, scopes: Scopes) -> None:
    await scopes.put("channel", PLACE, listen="every", cooldown=10.0)
    await scopes.put("channel", PLACE, cooldown=None, identity="webhook")
    choice = await scopes.resolve(PLACE)
    assert (choice.listen, choice.cooldown, choice.identity) == ("every", None, "webhook")
    await scopes.put("channel", PLACE)
    await scopes.put("channel", PLACE, listen=None, identity=None)
    assert await rows(database) == 0
    await scopes.put("channel", PLACE, listen=None)
    assert await rows(database) == 0


async def test_settings_made_at_once_are_all_kept(database: Database, scopes: Scopes) -> None:
    values = {"persona_id": "pirate", "listen": "every", "identity": "plain", "cooldown": 3.0}
    await open_connections(database)
    await asyncio.gather(*(scopes.put("channel", PLACE, **{name: value}) for name, value in values.items()))
    choice = await scopes.resolve(PLACE)
    assert {name: getattr(choice, name) for name in values} == values
    assert await rows(database) == 1


async def test_a_pause_that_is_over_lets_the_wider_one_hold(scopes: Scopes) -> None:
    later = now() + timedelta(hours=1)
    await scopes.put("server", PLACE, paused_until=later)
    await scopes.put("channel", PLACE, paused_until=now() - timedelta(seconds=1))
    choice = await scopes.resolve(PLACE)
    assert (choice.paused_until, choice.origins) == (later, {"paused_until": "server"})


async def test_in_direct_messages_everything_is_the_members_own(scopes: Scopes) -> None:
    direct, other = Place(None, 77, None, 5), Place(None, 77, None, 6)
    for kind, value in zip(KINDS, (1.0, 2.0, 3.0, 4.0), strict=True):
        await scopes.put(kind, direct, cooldown=value)
        choice = await scopes.resolve(direct)
        assert (choice.cooldown, choice.origins) == (value, {"cooldown": "member"})
    assert await scopes.resolve(other) == await scopes.resolve(PLACE) == Choice()


async def test_what_no_scope_has_is_refused(database: Database, scopes: Scopes) -> None:
    with pytest.raises(ValueError, match="no volume"):
        await scopes.put("server", PLACE, volume=11)
    with pytest.raises(ValueError, match="no listen 'always'"):
        await scopes.put("server", PLACE, listen="always")
    with pytest.raises(ValueError, match="no thread"):
        await scopes.put("thread", Place(1, 20, None, 5), listen="every")
    assert await rows(database) == 0


async def test_channels_and_servers_take_their_settings_along(database: Database, scopes: Scopes) -> None:
    for kind in KINDS:
        await scopes.put(kind, PLACE, cooldown=1.0)
        await scopes.put(kind, Place(2, 21, 31, 5), cooldown=2.0)
    await scopes.forget_channel(5)  # the number of the member is no channel's
    assert await rows(database) == 8
    await scopes.forget_channel(20)
    await scopes.forget_channel(30)
    assert set((await scopes.resolve(PLACE)).origins.values()) == {"member"}
    await scopes.forget_guild(1)
    assert await scopes.resolve(PLACE) == Choice()
    assert await rows(database) == 4


class Plain:
    """The same rules, told as plainly as can be: a table in memory, read from the widest scope to the narrowest."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, int, int], dict[str, Any]] = {}

    def keys(self, place: Place) -> dict[str, tuple[str, int, int]]:
        if place.guild_id is None:
            return {"member": ("member", 0, place.user_id)}
        ids = zip(KINDS, (place.guild_id, place.channel_id, place.thread_id, place.user_id), strict=True)
        return {kind: (kind, place.guild_id, target) for kind, target in ids if target is not None}

    def put(self, kind: Kind, place: Place, **values: Any) -> None:
        key = self.keys(place)["member" if place.guild_id is None else kind]
        self.table.setdefault(key, {}).update(values)

    def resolve(self, place: Place) -> Choice:
        chosen: dict[str, Any] = {}
        origins: dict[str, Any] = {}
        for kind, key in self.keys(place).items():
            for name, value in self.table.get(key, {}).items():
                if value is not None and (name != "paused_until" or value > now()):
                    chosen[name], origins[name] = value, kind
        return Choice(**chosen, origins=origins)


async def test_random_settings_resolve_as_the_plain_rules_say(database: Database, scopes: Scopes) -> None:
    rng = random.Random(5)
    values: dict[str, list[Any]] = {
        "persona_id": ["pirate", "own-1", None],
        "listen": ["every", "mentions", "never", None],
        "identity": ["webhook", "plain", None],
        "cooldown": [0.0, 2.5, None],
        "paused_until": [now() + timedelta(days=1), now() + timedelta(days=2), now() - timedelta(days=1), None],
    }
    # Ids overlap on purpose: a server, a channel, a thread and a member may all have the same number.
    places = [
        Place(guild, channel, thread, user)
        for guild in (1, 2, None)
        for channel in (1, 2)
        for thread in ((None, 1, 3) if guild else (None,))
        for user in (1, 2)
    ]
    plain = Plain()
    for step in range(100):
        place = rng.choice(places)
        kind = rng.choice([kind for kind in KINDS if kind != "thread" or place.thread_id or place.guild_id is None])
        given = {name: rng.choice(values[name]) for name in rng.sample(FIELDS, rng.randint(1, len(FIELDS)))}
        await scopes.put(kind, place, **given)
        plain.put(kind, place, **given)
        for seen in places if step % 25 == 0 else rng.sample(places, 3):
            assert await scopes.resolve(seen) == plain.resolve(seen)
    assert await rows(database) == sum(any(v is not None for v in row.values()) for row in plain.table.values())
