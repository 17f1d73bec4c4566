"""Settings: defaults, the environment, .env, and one sentence for what cannot be used."""

import re
from pathlib import Path

import pytest

from bot.domain import BadInput
from bot.runtime.bundle import SHIPPED_BUNDLE
from bot.settings import Settings, load_settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"
NAMES = {name.upper() for name in Settings.model_fields}


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in an empty folder with none of the settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_everything_has_a_working_default_but_the_token() -> None:
    settings = load_settings()
    assert settings.bundle == SHIPPED_BUNDLE
    assert settings.channels == frozenset()
    with pytest.raises(BadInput, match=r"DISCORD_TOKEN is not set; .* into \.env"):
        settings.require_token()


def test_the_example_explains_every_setting_and_works_as_it_is(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)) == NAMES
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert load_settings() == Settings(_env_file=None)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=abc\nCHANNELS=1, 2,\nCOOLDOWN=0\nTHREADS=2\n", encoding="utf-8")
    monkeypatch.setenv("THREADS", "1")
    settings = load_settings()
    assert settings.require_token() == "abc"
    assert settings.channels == {1, 2}
    assert (settings.cooldown, settings.threads) == (0, 1)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("CHANNELS", "general", "channels are numeric ids separated by commas"),
        ("CHANNELS", "-5", "channels are numeric ids separated by commas"),
        ("PROVIDER", "gpu", "input should be 'auto', 'cpu', 'cuda' or 'tensorrt'"),
        ("THREADS", "many", "input should be a valid integer"),
        ("THREADS", "-1", "input should be greater than or equal to 0"),
        ("WORKERS", "-1", "input should be greater than or equal to 0"),
        ("HEALTH_PORT", "70000", "input should be less than or equal to 65535"),
        ("LOG_FORMAT", "xml", "input should be 'text' or 'json'"),
        ("RETENTION_DAYS", "0", "input should be greater than or equal to 1"),
        ("COOLDOWN", "soon", "input should be a valid number"),
        ("QUEUE_LIMIT", "0", "input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as caught:
        load_settings()
    assert str(caught.value).startswith(f"The setting {name} cannot be used: {why}")
    assert "\n" not in str(caught.value)


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    assert "very-secret" not in repr(load_settings())
