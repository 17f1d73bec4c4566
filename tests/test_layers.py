"""The arrows of the house: who may import whom, read from the imports themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Lower rooms know nothing of higher ones.
LAYERS = [
    ("bot.domain",),
    ("bot.terminal", "bot.locales"),
    ("bot.runtime",),
    ("bot.vision", "bot.speech"),
    ("bot.picture", "bot.portrait"),
    ("bot.settings", "bot.store"),
    ("bot.cogs", "bot.ui"),
    ("bot.client",),
    ("bot.app",),
    ("bot.doctor", "bot.demo"),
    ("bot.__main__",),
]
TOGETHER = {"bot.cogs", "bot.ui"}  # a cog and the forms and buttons it shows know each other
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = {"torch", "models", "export", "onnx", "onnxscript", "matplotlib", "tensorboard", "cv2"}
DISCORD_ROOMS = ("bot.cogs", "bot.ui", "bot.client", "bot.app")


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import; the arrows are read from absolute ones"
            assert node.module
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def room(module: str) -> str | None:
    return next((room for room in HEIGHT if module == room or module.startswith(room + ".")), None)


def test_every_module_of_the_bot_has_a_room() -> None:
    homeless = [name for path in sources("bot") if (name := module_name(path)) != "bot" and room(name) is None]
    assert not homeless, f"give these a room in LAYERS: {homeless}"


@pytest.mark.parametrize("path", sources("bot"), ids=module_name)
def test_arrows_point_down(path: Path) -> None:
    own = room(module_name(path))
    for imported in imports(path):
        other = room(imported)
        if own is None or other is None or own == other or {own, other} <= TOGETHER:
            continue
        assert HEIGHT[other] < HEIGHT[own], f"{module_name(path)} must not import {imported}"


@pytest.mark.parametrize("path", sources("bot"), ids=module_name)
def test_the_bot_never_imports_what_trains_it(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & HEAVY, f"{module_name(path)} imports {sorted(roots & HEAVY)}"
    if not module_name(path).startswith(DISCORD_ROOMS):
        assert "discord" not in roots, f"{module_name(path)} must not know Discord"


@pytest.mark.parametrize("path", sources("models"), ids=module_name)
def test_models_do_not_know_discord_or_export(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"discord", "export", "sqlalchemy"}, f"{module_name(path)} imports {sorted(roots)}"


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        module_name(path): count
        for folder in ("bot", "models", "export", "tests")
        for path in sources(folder)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
