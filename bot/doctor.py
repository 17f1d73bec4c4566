"""``python -m bot doctor``: check that everything is here that the bot needs."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version

from bot import __version__
from bot.domain import BadInput, Failure
from bot.runtime.bundle import Bundle
from bot.settings import Settings
from bot.speech.personas import find_persona, load_personas

PACKAGES = ("discord.py", "numpy", "pillow", "sqlalchemy", "tokenizers")


def examine(settings: Settings) -> int:
    """Run every check, print one line each and return 1 if one failed, else 0."""
    checks: dict[str, Callable[[Settings], str]] = {
        "program": check_program,
        "bundle": check_bundle,
        "models": check_models,
        "personas": check_personas,
        "database": check_database,
        "discord": check_discord,
    }
    failed = 0
    for name, check in checks.items():
        try:
            print(f"ok    {name:10} {check(settings)}")
        except (BadInput, Failure) as error:
            failed += 1
            print(f"FAIL  {name:10} {error}")
    return 1 if failed else 0


def check_program(settings: Settings) -> str:
    """Say which versions run."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"talking-photos {__version__}, Python {platform.python_version()}, {packages}"


def check_bundle(settings: Settings) -> str:
    """Hash every file of the bundle."""
    bundle = Bundle(settings.bundle)
    names = bundle.verify()
    entries = {**bundle.manifest["models"], **bundle.manifest["files"]}
    size = sum(entry["bytes"] for entry in entries.values())
    return f"{len(names)} files, {size / 2**20:.1f} MiB, every sha256 right: {bundle.folder}"


def check_models(settings: Settings) -> str:
    """Load every model and name the provider it really runs on."""
    from bot.app import TalkingPhotos

    started = time.perf_counter()
    engine = TalkingPhotos(
        settings.bundle, provider=settings.provider, threads=settings.threads, workers=settings.workers
    )
    providers = sorted({session.provider.removesuffix("ExecutionProvider") for session in engine.sessions.values()})
    seconds = time.perf_counter() - started
    threads = f"{engine.workers} at a time with {engine.threads} threads each"
    return f"loaded in {seconds:.1f} s on {' and '.join(providers)}, {threads}"


def check_personas(settings: Settings) -> str:
    """Load the personas and find the default one."""
    personas = load_personas()
    return f"{len(personas)} built in; the default is {find_persona(personas, settings.default_persona).name}"


def check_database(settings: Settings) -> str:
    """Open the database and bring it up to date."""
    from bot.store.database import check

    return check(settings.database_url)


def check_discord(settings: Settings) -> str:
    """Say whether a token is set (it is not tried) and where photos are answered."""
    settings.require_token()
    channels = ", ".join(map(str, settings.channels)) or "none"
    return f"a token is set; channels where every photo is answered: {channels}"
