"""Build the bundle: ``python -m export [NAME ...]`` exports the named models (default: all that have checkpoints)."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE, sha256
from export import graphs
from export.graph import Graph, ParityError, export
from models.train.run import RUNS


def main() -> int:
    """Export models into the bundle and print each one's size and difference to PyTorch."""
    known = sorted(module.name for module in pkgutil.iter_modules(graphs.__path__))
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"models to export: {', '.join(known)}")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of training runs with best.pt each")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="folder to write into")
    args = parser.parse_args()
    unknown = set(args.names) - set(known)
    if unknown:
        parser.error(f"unknown model {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    names = args.names or [name for name in known if (args.runs / name / "best.pt").exists()]
    if not names:
        print(f"No checkpoint in {args.runs}; train one first: python -m models.train.<name>.", file=sys.stderr)
        return 2
    args.bundle.mkdir(parents=True, exist_ok=True)
    for name in names:
        checkpoint = args.runs / name / "best.pt"
        if not checkpoint.exists():
            print(f"{checkpoint} is missing; run python -m models.train.{name} first.", file=sys.stderr)
            return 2
        module = importlib.import_module(f"export.graphs.{name}")
        files: dict[str, Path] = module.files(checkpoint) if hasattr(module, "files") else {}
        try:
            build(module.graphs(checkpoint), files, args.bundle)
        except ParityError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def build(models: list[Graph], files: dict[str, Path], bundle: Path) -> None:
    """Export ``models`` and copy ``files`` into ``bundle``, then update its manifest last."""
    path = bundle / MANIFEST
    manifest: dict[str, Any] = {"version": 1, "models": {}, "files": {}}
    if path.exists():
        manifest = json.loads(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        for graph in models:
            exported = export(graph, Path(scratch))
            shutil.copy(exported.path, bundle / exported.path.name)
            manifest["models"][graph.name] = exported.entry
            worst = ", ".join(f"{stage} {value:.1e}" for stage, value in exported.differences.items())
            print(f"{graph.name:20} {exported.entry['bytes'] / 2**20:6.2f} MiB  max difference to PyTorch: {worst}")
    for name, source in files.items():
        target = bundle / source.name
        if source.resolve() != target.resolve():
            shutil.copy(source, target)
        manifest["files"][name] = {"file": target.name, "sha256": sha256(target), "bytes": target.stat().st_size}
        print(f"{name:20} {target.stat().st_size / 2**20:6.2f} MiB  copied")
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
