"""Scenes as the shipped eyes see the training photos, so that the speaker is taught what it will really get.

    python -m models.data.seen_scenes      # observes training photos and faces once; minutes; resumes

Captions of the captioner, people of the detector and the reader, mistakes and all. The replies made from them
(models/data/expand.py) agree with what was seen, not with what the photo shows.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from bot.domain import Person, Scene
from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import Captioner
from bot.vision.detector import FaceDetector
from bot.vision.face_reader import FaceReader
from bot.vision.observer import Observer
from bot.vision.photo import decode
from models.data.photos import Photos
from models.train.run import DATA, need

CACHE = Path("cache") / "seen_scenes.jsonl"
FACES = 1500  # portraits among them


def read_seen_scenes(path: Path = CACHE) -> list[Scene]:
    """Return the scenes observed so far; none when nothing was observed yet."""
    if not path.exists():
        return []
    return [_scene(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]


def training_images(data: Path, faces: int = FACES, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield (name, JPEG bytes) of the training photos and of some training faces, in a fixed shuffled order."""
    photos = Photos(data / "photos")
    names = [("photo", item.file) for item in photos.items("train")]
    with tarfile.open(need(data / "faces" / "faces-train.tar", "the training faces")) as tar:
        members = sorted(member.name for member in tar if member.isfile())
        names += [("face", name) for name in random.Random(seed).sample(members, min(faces, len(members)))]
        random.Random(seed).shuffle(names)
        for kind, name in names:
            if kind == "photo":
                buffer = io.BytesIO()
                photos.image(name).save(buffer, "JPEG", quality=95)
                yield name, buffer.getvalue()
            elif (stream := tar.extractfile(name)) is not None:
                yield name, stream.read()


def _scene(row: dict[str, object]) -> Scene:
    people = [Person(**{**person, "wears": tuple(person["wears"])}) for person in row["people"]]  # type: ignore[attr-defined]
    return Scene(str(row["caption"]), tuple(people))


def main() -> None:
    """Observe what is not in the cache yet."""
    parser = argparse.ArgumentParser(prog="python -m models.data.seen_scenes", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--faces", type=int, default=FACES)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    bundle = Bundle(SHIPPED_BUNDLE)
    detector, reader, encoder, decoder = (
        Session(bundle.model(name), provider="cpu", threads=args.threads)
        for name in ("face_detector", "face_reader", "captioner_encoder", "captioner_decoder")
    )
    observer = Observer(FaceDetector(detector), FaceReader(reader), Captioner(encoder, CaptionWriter(decoder)))
    CACHE.parent.mkdir(exist_ok=True)
    done = len(read_seen_scenes())
    with CACHE.open("a", encoding="utf-8") as stream:
        for number, (name, image) in enumerate(tqdm(training_images(args.data, args.faces), unit="photo")):
            if number < done:
                continue
            scene = observer.look(decode(image))
            people = [
                {key: getattr(person, key) for key in ("who", "age", "expression", "where", "wears")}
                for person in scene.people
            ]
            stream.write(json.dumps({"photo": name, "caption": scene.caption, "people": people}) + "\n")


if __name__ == "__main__":
    main()
