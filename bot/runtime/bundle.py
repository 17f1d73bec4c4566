"""The bundle: a folder of ONNX models with a manifest that says what each one is.

manifest.json holds ``{"version": 1, "models": {name: {...}}, "files": {name: {...}}}``. A model entry
carries file, sha256, bytes, inputs, outputs, normalisation, labels, precision, training_data, licence,
metrics and commit; a plain file (the tokenizer) carries file, sha256 and bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.domain import Failure

SHIPPED_BUNDLE = Path(__file__).parent.parent / "resources" / "bundle"
MANIFEST = "manifest.json"
MEND = "install the bot again, or rebuild the bundle with `python -m export`"


@dataclass(frozen=True)
class ModelEntry:
    """One model of the manifest; ``about`` is its whole manifest entry."""

    name: str
    path: Path
    about: dict[str, Any]

    @property
    def normalisation(self) -> dict[str, Any]:
        """How inputs are scaled: size in pixels, mean and std per channel in 0..255 RGB."""
        return dict(self.about.get("normalisation") or {})

    @property
    def labels(self) -> dict[str, Any]:
        """Label lists and thresholds by head or purpose."""
        return dict(self.about.get("labels") or {})


class Bundle:
    """A verified folder of models.

    Opening reads the manifest only; a file is hashed the first time it is asked for, so a wrong
    or missing file is a Failure that names the file and the mend.
    """

    def __init__(self, folder: Path = SHIPPED_BUNDLE) -> None:
        self.folder = Path(folder)
        self._verified: set[Path] = set()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The parsed manifest."""
        path = self.folder / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            entries = {**manifest["models"], **manifest["files"]}
            if not all({"file", "sha256", "bytes"} <= set(entry) for entry in entries.values()):
                raise KeyError("file, sha256 or bytes")
        except FileNotFoundError:
            raise Failure(f"The model bundle has no {path}; {MEND}.") from None
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise Failure(f"The model manifest {path} is damaged ({error}); {MEND}.") from None
        return dict(manifest)

    def model(self, name: str) -> ModelEntry:
        """Return the verified entry of model ``name``; raise Failure if it is missing or changed."""
        about = self._entry("models", name)
        return ModelEntry(name, self._verify(about), about)

    def file(self, name: str) -> Path:
        """Return the verified path of a plain file; raise Failure if it is missing or changed."""
        return self._verify(self._entry("files", name))

    def verify(self) -> list[str]:
        """Hash every file and return the names checked; raise Failure at the first bad one."""
        names = [*self.manifest["models"], *self.manifest["files"]]
        for about in (*self.manifest["models"].values(), *self.manifest["files"].values()):
            self._verify(about)
        return names

    def _entry(self, kind: str, name: str) -> dict[str, Any]:
        try:
            return dict(self.manifest[kind][name])
        except KeyError:
            raise Failure(f"The bundle in {self.folder} lists no {name}; {MEND}.") from None

    def _verify(self, about: dict[str, Any]) -> Path:
        path = self.folder / about["file"]
        if path in self._verified:
            return path
        if not path.is_file():
            raise Failure(f"The model file {path} is missing; {MEND}.")
        if sha256(path) != about["sha256"]:
            raise Failure(f"The model file {path} is not the one its manifest describes (wrong sha256); {MEND}.")
        self._verified.add(path)
        return path


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
