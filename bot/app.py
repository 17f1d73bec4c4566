"""The composition root: opens the bundle, builds everything once and hands it down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.domain import Persona, Scene
from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.runtime.timing import Stopwatch
from bot.speech.decoder import Decoder
from bot.speech.personas import load_personas
from bot.speech.speaker import Speaker
from bot.vision.captioner import Captioner
from bot.vision.detector import FaceDetector
from bot.vision.face_reader import FaceReader
from bot.vision.observer import Observer
from bot.vision.photo import Photo, decode


class TalkingPhotos:
    """Eyes, tongue and cast in one: bytes of a photo to a Scene, a Scene and a Persona to a Reply.

    Every method is synchronous and busy on the CPU; call it off the event loop. Loading raises
    Failure when the bundle is incomplete or damaged.
    """

    def __init__(self, bundle_folder: Path = SHIPPED_BUNDLE, *, provider: str = "auto", threads: int = 0) -> None:
        self.bundle = Bundle(bundle_folder)
        names = ("face_detector", "face_reader", "captioner_encoder", "captioner_decoder", "speaker")
        self.sessions = {name: Session(self.bundle.model(name), provider=provider, threads=threads) for name in names}
        self.observer = Observer(
            FaceDetector(self.sessions["face_detector"]),
            FaceReader(self.sessions["face_reader"]),
            Captioner(self.sessions["captioner_encoder"], self.sessions["captioner_decoder"]),
        )
        decoder = Decoder(self.sessions["speaker"], self.bundle.file("speaker_tokenizer"))
        self.reply = Speaker(decoder=decoder).reply  # an opening, or the answer to the last turn
        self.personas: Mapping[str, Persona] = load_personas()

    @property
    def provider(self) -> str:
        """Where the models run: "CPU", or "CUDA" once any of them does."""
        used = {session.provider.removesuffix("ExecutionProvider") for session in self.sessions.values()}
        return "CUDA" if "CUDA" in used else "CPU"

    def look(self, data: bytes, stopwatch: Stopwatch | None = None) -> Scene:
        """Return what is seen in the bytes of a photo; raise BadInput if they are not one."""
        stopwatch = stopwatch or Stopwatch()
        with stopwatch("decode"):
            photo = decode(data)
        return self.observe(photo, stopwatch)

    def observe(self, photo: Photo, stopwatch: Stopwatch | None = None) -> Scene:
        """Return what is seen in a decoded photo."""
        return self.observer.look(photo, stopwatch)
