"""Everything of one user can be counted, shown and erased, whatever table it is in."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import String, Text, insert, select

from bot.domain import Conversation, Person, Persona, Scene, Turn
from bot.store.conversations import Conversations, Origin, Question
from bot.store.database import Database
from bot.store.personas import OwnPersona, Personas
from bot.store.privacy import Privacy
from bot.store.scopes import Place, Scopes
from bot.store.tables import USER_COLUMNS, Base, ConversationRow, ScopeRow, TurnRow
from tests.store.connections import open_connections

ADA, BOB = 111222333444555666, 777888999000111222
PIRATE = Persona("pirate", "Captain Barnacle", "pirate")
BUILT_IN = {"pirate": PIRATE, "self": Persona("self", "The One in the Photo")}
SCENE = Scene("a dog on a red sofa", (Person("dog"), Person("woman", "adult")))
ADAS_SCENE = Scene("adascene: a purple cow", (Person("animal"),))
HERE = Place(guild_id=1, channel_id=20, thread_id=None, user_id=ADA)
# Whatever is Ada's has one of these in it; Bob's has none of them.
SECRETS = (
    str(ADA),
    "Ada Lovelace",
    "adaword",
    "adascene",
    "Queen Sprocket",
    "Cogs and levers forever",
    "adalike",
    "adacard",
)


def character(name: str, words: str, like: str) -> Persona:
    return Persona("", name, "queen", ("wise",), f"{words}, always.", words, f"{words}, hello.", (like,))


class World:
    """A database with rows of Ada and of Bob in every table."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.personas = Personas(database, BUILT_IN)
        self.talks = Conversations(database, self.personas)
        self.scopes = Scopes(database)
        self.privacy = Privacy(database)
        self.message = 5000

    async def ask(self, talk: Conversation, who: int, name: str, question: str, answer: str) -> int:
        """Let somebody ask and the persona answer; return the number of the bot's message."""
        self.message += 10
        turns = Turn("user", question, name), Turn("persona", answer)
        sent = [self.message + 1]
        await self.talks.remember(talk.id, *turns, author_id=who, message_id=self.message, sent=sent)
        return sent[0]

    async def fill(self) -> None:
        await self.fill_for(BOB, "Bob", character("Duke Bobbin", "Threads and needles", "bobbins"), "bobword", SCENE)
        self.adas = await self.fill_for(
            ADA,
            "Ada Lovelace",
            character("Queen Sprocket", "Cogs and levers forever", "adalike"),
            "adaword",
            ADAS_SCENE,
        )

    async def fill_for(self, who: int, name: str, persona: Persona, word: str, scene: Scene) -> OwnPersona:
        """Post a photo, talk about it and about another's, make a character, choose it, opt out."""
        self.message += 100
        card = {"data": {"creator": f"{name} {word} {'adacard' if who == ADA else 'bobcard'}"}}
        own = await self.personas.add(persona, owner_id=who, avatar=f"{word} picture".encode(), card=card)
        origin = Origin(1, 20, self.message, who, self.message + 1)
        talk = await self.talks.start(scene, own.persona, persona.greeting, origin, [self.message + 2])
        await self.ask(talk, who, name, f"{word} question", f"{word} answer")
        place = replace(HERE, user_id=who)
        await self.scopes.put("member", place, persona_id=own.persona.id, cooldown=1.0)
        await self.scopes.put("member", replace(place, guild_id=None), listen="never")
        await self.privacy.opt_out(who)
        return own

    async def rows(self) -> dict[str, list[str]]:
        """Return every row of every table as text, pictures by their words."""
        found: dict[str, list[str]] = {}
        async with self.database.session() as session:
            for table in Base.metadata.sorted_tables:
                rows = (await session.execute(select(table).order_by(*table.primary_key))).all()
                found[table.name] = [json.dumps(tuple(row), default=str, ensure_ascii=False) for row in rows]
        return found


@pytest.fixture
async def world(database: Database) -> World:
    world = World(database)
    await world.fill()
    return world


def secrets_in(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the rows with anything of Ada's in them."""
    mine = {table: [row for row in texts if any(secret in row for secret in SECRETS)] for table, texts in rows.items()}
    return {table: texts for table, texts in mine.items() if texts}


async def test_forgetting_leaves_nothing_of_a_user_in_any_table_and_all_of_another(database: Database) -> None:
    world = World(database)
    await world.fill_for(BOB, "Bob", character("Duke Bobbin", "Threads and needles", "bobbins"), "bobword", SCENE)
    before = await world.rows()
    assert all(before.values()), "let fill_for fill the new table too"
    persona = character("Queen Sprocket", "Cogs and levers forever", "adalike")
    await world.fill_for(ADA, "Ada Lovelace", persona, "adaword", ADAS_SCENE)
    full = await world.rows()
    for table in Base.metadata.sorted_tables:
        assert len(full[table.name]) == 2 * len(before[table.name])
    # What has no id, name or word of a user in it is found by what it belongs to: the bot's messages.
    assert set(secrets_in(full)) == set(full) - {"messages"}

    erased = await world.privacy.forget(ADA)
    assert await world.rows() == before
    assert erased == {"conversations": 1, "turns": 1, "personas": 1, "scopes": 2, "opt_outs": 1}


async def test_every_column_that_can_hold_a_users_number_or_words_is_known(database: Database) -> None:
    """A new column fails this test: is it a user's, and do summary, export, forget and the tests above reach it?"""
    users = {f"{column.class_.__tablename__}.{column.key}" for column in USER_COLUMNS}
    columns = {
        f"{table.name}.{column.name}": column.type for table in Base.metadata.sorted_tables for column in table.c
    }
    assert users == {
        name for name in columns if name.endswith(("user_id", "poster_id", "author_id", "owner_id", "target_id"))
    }
    texts = {name for name, kind in columns.items() if isinstance(kind, String | Text)}
    assert {name for name in texts if name.startswith("turns.")} == {"turns.role", "turns.text", "turns.author"}
    assert {name for name in texts if name.startswith("conversations.")} == {"conversations.persona_id"}
    assert {name for name in texts if name.startswith("scopes.")} == {
        "scopes.kind",
        "scopes.persona_id",
        "scopes.listen",
        "scopes.identity",
    }
    assert {name.split(".")[0] for name in texts} == {"turns", "conversations", "scopes", "personas"}


async def test_questions_to_anothers_photo_go_with_their_answers_and_the_rest_stands(world: World) -> None:
    talk = await world.talks.start(SCENE, PIRATE, "Arr!", Origin(1, 20, 9000, BOB, 9001), [9002])
    await world.ask(talk, BOB, "Bob", "bob asks", "said to bob")
    hers = await world.ask(talk, ADA, "Ada Lovelace", "adaword?", "adaword, aye!")
    await world.ask(talk, BOB, "Bob", "bob again", "said to bob again")
    asked = Question("and you, adaword?", "Ada Lovelace", ADA, 9500)
    await world.talks.start(
        SCENE, PIRATE, "adaword, woof!", Origin(1, 20, 9000, BOB, 9001), [9501], speaker=1, asked=asked
    )
    await world.privacy.forget(ADA)
    assert secrets_in(await world.rows()) == {}
    found = await world.talks.by_message(hers)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!", "bob asks", "said to bob", "bob again", "said to bob again"]
    other = await world.talks.by_message(9501)
    assert other is not None
    assert other.turns == ()


async def test_names_and_phrases_in_what_others_keep_give_way(world: World) -> None:
    queen = world.adas.persona
    lent = await world.talks.start(
        SCENE, queen, "Cogs and Levers forever, hello!", Origin(1, 20, 9000, BOB, 9001), [9002]
    )
    await world.ask(
        lent, BOB, "Bob", "Who made Queen Sprocket?", "I like Adalike. And cogs and levers forever, always!"
    )
    await world.ask(lent, ADA, "Ada Lovelace", "adaword", "adaword")
    said = await world.ask(
        lent, BOB, "Bob", "Is Ada Lovelace right, or @Ada Lovelace_?", "As Ada Lovelace said, 小Ada Lovelace了."
    )
    recast = await world.talks.said(said)
    assert recast is not None
    elsewhere = await world.talks.start(SCENE, PIRATE, "Arr!", Origin(3, 40, 9100, BOB, 9101), [9102])
    await world.ask(elsewhere, BOB, "Bob", "Look, @Ada Lovelace!", "Aye, Bob. Cogs and levers forever.")
    await world.ask(elsewhere, BOB, "Bob", "@ada is on holiday", "100% aye_")
    await world.privacy.forget(ADA, names={"ada", "%_", ""})
    rows = await world.rows()
    lowered = {table: [row.lower() for row in texts] for table, texts in rows.items()}
    for secret in SECRETS:
        assert not [row for texts in lowered.values() for row in texts if secret.lower() in row], secret
    found = await world.talks.by_id(lent.id)
    assert found is not None
    assert found.persona == BUILT_IN["self"]
    assert [turn.text for turn in found.turns] == [
        "…!",
        "Who made someone?",
        "I like …. And …!",
        "Is someone right, or @someone_?",
        "As someone said, 小someone了.",
    ]
    other = await world.talks.by_id(elsewhere.id)
    assert other is not None
    assert [turn.text for turn in other.turns] == [
        "Arr!", "Look, @someone!", "Aye, Bob. ….", "@someone is on holiday", "100% aye_"
    ]  # fmt: skip


async def test_a_users_server_characters_and_settings_that_chose_theirs_go_too(world: World) -> None:
    shared = await world.personas.add(character("King Adaword", "adaword", "tea"), owner_id=ADA, guild_id=1)
    bobs = replace(HERE, user_id=BOB)
    await world.scopes.put("server", HERE, persona_id=shared.persona.id)
    await world.scopes.put("channel", HERE, persona_id=world.adas.persona.id, listen="every")
    await world.scopes.put("member", bobs, persona_id=shared.persona.id)
    await world.privacy.forget(ADA)
    assert secrets_in(await world.rows()) == {}
    choice = await world.scopes.resolve(bobs)
    assert (choice.persona_id, choice.listen, choice.cooldown) == (None, "every", 1.0)
    async with world.database.session() as session:
        assert await session.scalar(select(ScopeRow.kind).where(ScopeRow.kind == "server")) is None


async def test_a_channel_with_the_number_of_a_user_keeps_its_settings(world: World) -> None:
    await world.scopes.put("channel", Place(1, ADA, None, BOB), listen="never")
    await world.privacy.forget(ADA)
    assert (await world.scopes.resolve(Place(1, ADA, None, BOB))).listen == "never"


async def test_a_forgotten_user_may_stay_opted_out(world: World) -> None:
    erased = await world.privacy.forget(ADA, keep_opt_out=True)
    assert "opt_outs" not in erased
    assert await world.privacy.summary(ADA) == dict.fromkeys(erased, 0) | {"opt_outs": 1}
    assert await world.privacy.is_out(ADA)
    assert await world.privacy.forget(ADA) == dict.fromkeys(erased, 0) | {"opt_outs": 1}
    assert not await world.privacy.is_out(ADA)
    assert await world.privacy.is_out(BOB)


async def test_forgetting_fails_as_a_whole_or_not_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await world.rows()

    def fail(*_: object) -> None:
        raise RuntimeError("half-way")

    monkeypatch.setattr("bot.store.privacy._answers", fail)  # after settings, traces and choices were written
    with pytest.raises(RuntimeError, match="half-way"):
        await world.privacy.forget(ADA)
    assert await world.rows() == before
    assert await world.privacy.is_out(ADA)


async def test_the_summary_counts_what_is_stored(world: World) -> None:
    counts = {"conversations": 1, "turns": 1, "personas": 1, "scopes": 2, "opt_outs": 1}
    assert await world.privacy.summary(ADA) == counts
    assert await world.privacy.summary(42) == dict.fromkeys(counts, 0)
    await world.privacy.forget(ADA)
    assert await world.privacy.summary(ADA) == dict.fromkeys(counts, 0)


async def test_the_export_is_json_with_everything_of_the_user_and_nothing_of_others(world: World) -> None:
    talk = await world.talks.start(SCENE, PIRATE, "bobs photo", Origin(1, 20, 9000, BOB, 9001), [9002])
    await world.ask(talk, ADA, "Ada Lovelace", "adaword here?", "Yes, here.")
    await world.ask(talk, BOB, "Bob", "bobword", "said to bob")
    async with world.database.session() as session:
        hers = await session.scalar(select(ConversationRow.id).where(ConversationRow.poster_id == ADA))
        session.add(TurnRow(conversation_id=hers, role="user", text="bobword", author="Bob", author_id=BOB))
    await world.ask(Conversation(hers or 0, SCENE, PIRATE), BOB, "Bob", "bobword there", "said to bob there")

    text = json.dumps(await world.privacy.export(ADA), ensure_ascii=False)
    for secret in SECRETS:
        assert secret in text
    for word in ("bobword", "Bob", "said to bob", "bobs photo", str(BOB)):
        assert word not in text
    exported: dict[str, Any] = json.loads(text)
    assert exported["user_id"] == str(ADA)
    assert {name: len(rows) for name, rows in exported.items() if isinstance(rows, list)} == {
        "conversations": 1,
        "turns": 5,  # the opening, and two questions with their answers
        "personas": 1,
        "scopes": 2,
        "opt_outs": 1,
    }
    assert [turn["text"] for turn in exported["turns"]][-2:] == ["adaword here?", "Yes, here."]
    persona = exported["personas"][0]
    assert base64.b64decode(persona["avatar"]) == b"adaword picture"
    assert persona["card"] == {"data": {"creator": "Ada Lovelace adaword adacard"}}
    assert exported["conversations"][0]["scene"]["caption"] == ADAS_SCENE.caption
    assert exported["conversations"][0]["photo_id"] == str(int(exported["conversations"][0]["photo_message_id"]) + 1)


async def test_who_opted_out_is_remembered_over_a_restart(database: Database) -> None:
    privacy = Privacy(database)
    assert not await privacy.is_out(ADA)
    await privacy.opt_out(ADA)
    await privacy.opt_out(ADA)
    assert await privacy.is_out(ADA)
    assert await Privacy(database).is_out(ADA)
    await privacy.opt_in(ADA)
    await privacy.opt_in(ADA)
    assert not await privacy.is_out(ADA)
    assert not await Privacy(database).is_out(ADA)


async def test_an_opt_out_while_the_list_is_first_read_is_not_lost(database: Database) -> None:
    await open_connections(database)
    for _ in range(5):
        privacy = Privacy(database)
        await asyncio.gather(privacy.is_out(BOB), privacy.opt_out(ADA), privacy.is_out(BOB))
        assert await privacy.is_out(ADA)
        await asyncio.gather(privacy.opt_in(ADA), privacy.is_out(ADA))
        assert not await privacy.is_out(ADA)


async def test_asking_who_opted_out_needs_the_database_once(database: Database) -> None:
    privacy = Privacy(database)
    await privacy.is_out(ADA)
    await database.engine.dispose()
    async with database.session() as session:
        await session.execute(insert(Base.metadata.tables["opt_outs"]).values(user_id=BOB))
    assert not await privacy.is_out(BOB)


async def test_a_question_without_a_message_number_takes_no_opening_along(world: World) -> None:
    talk = await world.talks.start(SCENE, PIRATE, "Arr!", Origin(1, 20, 9000, BOB, 9001), [9002])
    async with world.database.session() as session:
        session.add(TurnRow(conversation_id=talk.id, role="user", text="adaword", author="x", author_id=ADA))
    await world.privacy.forget(ADA)
    found = await world.talks.by_id(talk.id)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!"]
