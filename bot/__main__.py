"""The command line: ``python -m bot run | reply | chat | portrait | morph | personas | doctor``.

Errors go to stderr in one sentence; exit status 2 for bad input, 1 for a failure of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import __version__, picture, terminal
from bot.domain import BadInput, Failure, Persona, Reply, Scene, Turn
from bot.portrait.artist import LARGEST_SEED
from bot.portrait.morpher import CHANGES
from bot.portrait.studio import Studio
from bot.portrait.wishes import CONDITIONS, Wish, wish_in
from bot.runtime import logs
from bot.runtime.bundle import Bundle
from bot.runtime.memory import share_heap
from bot.runtime.startup import at_once, here_to_stay
from bot.runtime.timing import Stopwatch
from bot.settings import Settings, load_settings
from bot.speech.personas import find_persona, load_personas
from bot.speech.voices import persona_of
from bot.vision.photo import Photo, open_photo

if TYPE_CHECKING:
    from bot.app import TalkingPhotos

DESCRIPTION_WORDS = 4  # a persona named by so many words is described, not named


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = parse(argv)
    share_heap()
    try:
        return int(args.command(args, load_settings()))
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except Failure as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; argparse exits with status 2 on a wrong one."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Post a photo; the person in it answers.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="connect to Discord with the settings of .env")
    run.set_defaults(command=run_bot)

    reply = commands.add_parser("reply", help="say what the person in a photo would say")
    reply.add_argument(
        "--turn", nargs="+", action="extend", default=[], metavar="TEXT", help="what you answer, in order"
    )
    reply.add_argument("--json", action="store_true", help="print one JSON object")
    reply.add_argument("--picture", type=Path, metavar="FILE", help="draw what was seen and said on the photo")
    reply.set_defaults(command=reply_once)

    chat = commands.add_parser("chat", help="keep talking with the person in a photo")
    chat.set_defaults(command=chat_with)

    for command in (reply, chat):
        command.add_argument("photo", type=Path, metavar="PHOTO")
        command.add_argument("--persona", metavar="ID", help="who answers: see `personas`; or describe somebody")
        command.add_argument("--speaker", type=int, default=0, metavar="N", help="which person of the photo (from 0)")
        command.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same reply")

    portrait = commands.add_parser("portrait", help="draw the face of somebody who does not exist")
    portrait.add_argument("description", nargs="?", default="", help='as in "a cheerful old man"')
    for name, labels in CONDITIONS.items():
        portrait.add_argument(f"--{name}", choices=labels)
    portrait.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same face")
    portrait.add_argument("--out", type=Path, default=Path("portrait.png"), metavar="FILE")
    portrait.set_defaults(command=draw_portrait)

    morph = commands.add_parser("morph", help="let the face in a photo smile or age")
    morph.add_argument("photo", type=Path, metavar="PHOTO")
    morph.add_argument("--change", choices=CHANGES, default=next(iter(CHANGES)))
    morph.add_argument("--face", type=int, default=1, metavar="N", help="which face, from 1, the largest first")
    morph.add_argument("--out", type=Path, default=Path("morph.gif"), metavar="FILE")
    morph.set_defaults(command=morph_photo)

    commands.add_parser("personas", help="list the personas").set_defaults(command=list_personas)
    commands.add_parser("doctor", help="check models, settings and folders").set_defaults(command=examine)
    return parser.parse_args(argv)


def run_bot(args: argparse.Namespace, settings: Settings) -> int:
    """Connect to Discord until stopped."""
    logs.set_up(settings.log_format)
    settings.require_token()  # before the models load, so that a missing token is said at once
    with here_to_stay():
        connect, engine = at_once(import_client, partial(load_engine, settings))
    engine.warm_up_soon()
    asyncio.run(connect(settings, engine))
    return 0


def import_client() -> Callable[[Settings, TalkingPhotos], Coroutine[Any, Any, None]]:
    """Return what connects to Discord; its modules take a second to import."""
    from bot.client import run_bot as connect

    return connect


def open_timed(path: Path) -> tuple[Photo, Stopwatch]:
    """Open a photo; the stopwatch has timed that."""
    stopwatch = Stopwatch()
    with stopwatch("decode"):
        return open_photo(path), stopwatch


def look_at(
    photo: Photo, stopwatch: Stopwatch, args: argparse.Namespace, settings: Settings
) -> tuple[TalkingPhotos, Scene, Persona]:
    """See what is in the photo and who shall speak."""
    persona, engine = choose_persona(args.persona, settings), load_engine(settings)
    scene = engine.observe(photo, stopwatch)
    scene.speaking(args.speaker)  # refuses a speaker who is not there before anything is said
    return engine, scene, persona


def reply_once(args: argparse.Namespace, settings: Settings) -> int:
    """Print what is said about one photo, after the given turns if there are any."""
    if args.picture:
        picture.check_target(args.picture, args.photo)
    photo, stopwatch = open_timed(args.photo)
    engine, scene, persona = look_at(photo, stopwatch, args, settings)
    reply, _ = converse(engine, scene, persona, args.turn, args.speaker, args.seed, stopwatch)
    if args.picture:
        picture.save(picture.draw(photo, scene, persona, reply.text, args.speaker), args.picture)
    if args.json:
        print(json.dumps(terminal.as_json(scene, persona, args.speaker, reply, stopwatch.timings_ms)))
        return 0
    print(terminal.describe_scene(scene))
    print(f"\n{persona.name}: {reply.text}\n")
    print(f"  {reply.source}; {terminal.describe_timings(stopwatch.timings_ms)}")
    return 0


def converse(
    engine: TalkingPhotos,
    scene: Scene,
    persona: Persona,
    messages: Sequence[str],
    speaker: int,
    seed: int | None,
    stopwatch: Stopwatch,
) -> tuple[Reply, list[Turn]]:
    """Open the conversation, answer every message in order; return the last reply and all turns."""
    turns: list[Turn] = []
    reply = engine.reply(scene, persona, (), speaker=speaker, seed=seed)
    stopwatch.add(reply.timings_ms)
    for message in messages:
        turns += [Turn("persona", reply.text), Turn("user", message)]
        reply = engine.reply(scene, persona, turns, speaker=speaker, seed=seed)
        stopwatch.add(reply.timings_ms)
    return reply, [*turns, Turn("persona", reply.text)]


def chat_with(args: argparse.Namespace, settings: Settings) -> int:
    """Talk in the terminal until an empty line or the end of input."""
    photo, stopwatch = open_timed(args.photo)
    engine, scene, persona = look_at(photo, stopwatch, args, settings)
    reply, turns = converse(engine, scene, persona, (), args.speaker, args.seed, stopwatch)
    print(f"{terminal.describe_scene(scene)}\n\n{persona.name}: {reply.text}\n(an empty line ends the talk)")
    while message := ask():
        turns.append(Turn("user", message))
        reply = engine.reply(scene, persona, turns, speaker=args.speaker, seed=args.seed)
        turns.append(Turn("persona", reply.text))
        print(f"{persona.name}: {reply.text}")
    return 0


def ask() -> str:
    """Return what the user types next; empty at the end of input."""
    try:
        return input("you: ").strip()
    except EOFError:
        return ""


def draw_portrait(args: argparse.Namespace, settings: Settings) -> int:
    """Draw a face into a PNG file."""
    picture.check_target(args.out, suffixes=(".png",))
    seed = random.randrange(LARGEST_SEED) if args.seed is None else args.seed
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInput(f"The seed must be a whole number from 0 to {LARGEST_SEED}.")
    asked = Wish(args.age, args.gender, args.mood).over(wish_in(args.description))
    drawing = open_studio(settings).draw(asked, seed)
    picture.write(drawing.picture, args.out)
    wish = drawing.wish
    print(f"{args.out}: {wish.age}, {wish.gender}, {wish.mood}; draw the same face again with --seed {seed}.")
    return 0


def morph_photo(args: argparse.Namespace, settings: Settings) -> int:
    """Let a face of a photo change in a GIF file."""
    picture.check_target(args.out, args.photo, suffixes=(".gif",))
    photo, studio = open_photo(args.photo), open_studio(settings)
    picture.write(studio.morph(photo, args.change, studio.face(photo, args.face - 1)), args.out)
    print(f"{args.out}: face {args.face}, {args.change} and back again; the change is made up.")
    return 0


def open_studio(settings: Settings) -> Studio:
    """Return what draws and changes faces."""
    return Studio(Bundle(settings.bundle), provider=settings.provider, threads=settings.threads)


def list_personas(args: argparse.Namespace, settings: Settings) -> int:
    """Print every persona with its voice and description."""
    for persona in load_personas().values():
        traits = f" ({', '.join(persona.traits)})" if persona.traits else ""
        print(f"{persona.id:14} {persona.name:24} {persona.voice}{traits}: {persona.description}")
    return 0


def examine(args: argparse.Namespace, settings: Settings) -> int:
    """Run the doctor."""
    from bot.doctor import examine as run_checks

    return run_checks(settings)


def choose_persona(query: str | None, settings: Settings) -> Persona:
    """Return the persona asked for by id, name or voice, or by a description of it, or the default one."""
    wanted = query or settings.default_persona
    try:
        return find_persona(load_personas(), wanted)
    except BadInput:
        if len(wanted.split()) < DESCRIPTION_WORDS:
            raise
        return persona_of(wanted)


def load_engine(settings: Settings) -> TalkingPhotos:
    """Load every model of the bundle."""
    from bot.app import TalkingPhotos

    return TalkingPhotos(
        settings.bundle, provider=settings.provider, threads=settings.threads, workers=settings.workers
    )


if __name__ == "__main__":
    sys.exit(main())
