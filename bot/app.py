"""The composition root: opens the bundle, builds everything once and hands it down."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from bot.domain import NOBODY, Box, Face, Persona, Reply, Scene, Turn
from bot.portrait.pictures import Drawing
from bot.portrait.studio import Studio
from bot.portrait.wishes import Wish
from bot.runtime import metrics
from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import CPU, Session, available_cores, share_cores, short_name
from bot.runtime.spare import SpareCores, Wide
from bot.runtime.startup import begin, later
from bot.runtime.timing import Stopwatch
from bot.speech.decoder import Decoder
from bot.speech.frames import Frames
from bot.speech.personas import load_personas
from bot.speech.speaker import Speaker
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import Captioner
from bot.vision.detector import FaceDetector
from bot.vision.face_reader import FaceReader
from bot.vision.observer import Observer
from bot.vision.photo import Photo, decode

log = logging.getLogger(__name__)

SEEING = ("face_detector", "face_reader", "captioner_encoder")
WRITING = ("captioner_decoder", "speaker")  # their caches are bound in the processor's memory (bot/runtime/binding.py)
SOON = 1.0  # seconds until what is not needed for a first photo is done: warming up, then what makes it quicker
MADE_UP = "a red boat lies on a sandy beach"  # something to speak about while the eyes warm up


class TalkingPhotos:
    """Eyes, tongue and cast in one: bytes of a photo to a Scene, a Scene and a Persona to a Reply.

    Every method is synchronous and busy on the CPU; call it off the event loop, ``workers`` calls at a time.
    Loading raises Failure when the bundle is incomplete or damaged.
    """

    def __init__(
        self, bundle_folder: Path = SHIPPED_BUNDLE, *, provider: str = "auto", threads: int = 0, workers: int = 0
    ) -> None:
        self.bundle = Bundle(bundle_folder)
        self.workers, self.threads = share_cores(workers, threads)
        self._cores = SpareCores(available_cores() // self.threads)
        wanted = dict.fromkeys(SEEING, provider)
        wanted |= dict.fromkeys(WRITING, "cpu")
        loading = begin(partial(self._load, wanted))  # one after the other, which takes less memory
        frames = Frames()
        self.personas: Mapping[str, Persona] = load_personas()
        self.sessions = loading()
        self._reader = FaceReader(self.sessions["face_reader"])
        detector = FaceDetector(self.sessions["face_detector"])
        self.studio = Studio(self.bundle, detector, provider=wanted["captioner_encoder"], threads=self.threads)
        writer = CaptionWriter(self.sessions["captioner_decoder"])
        self._captioner = Captioner(self.sessions["captioner_encoder"], writer)
        self.observer = Observer(detector, self._reader, self._captioner, aside=self._cores.aside)
        self._decoder = Decoder(self.sessions["speaker"], self.bundle.file("speaker_tokenizer"))
        self._speaker = Speaker(decoder=self._decoder, frames=frames)
        metrics.ENGINE.info({"provider": self.provider, "workers": str(self.workers), "threads": str(self.threads)})

    def _load(self, wanted: Mapping[str, str]) -> dict[str, Session]:
        """Load models, each for its provider."""
        return {
            name: Session(self.bundle.model(name), provider=on, threads=self.threads) for name, on in wanted.items()
        }

    @property
    def provider(self) -> str:
        """Where the models run: "CPU", or "CUDA" or "TensorRT" once any of them does."""
        used = [session.provider for session in self.sessions.values()]
        return short_name(next((provider for provider in used if provider != CPU), CPU))

    def warm_up_soon(self) -> None:
        """Warm up in a second, while the bot connects; a photo that comes before takes a tenth of a second more."""
        later(SOON, self.warm_up)

    def warm_up(self) -> None:
        """Run every model once, so that the first photo is answered as fast as the others; log where they run."""
        begun = time.perf_counter()
        photo = Photo(Image.effect_noise((640, 480), 50).convert("RGB"), 640, 480)
        first = next(iter(self.personas.values()))
        said = self._cores.aside(partial(self._speaker.reply, Scene(MADE_UP, (NOBODY,)), first, seed=0))
        self.observer.look(photo)
        self._reader.read(photo.image, [Face(Box(200, 100, 200, 200), 1.0)])
        said()
        gc.freeze()  # what was loaded stays; looking through it for garbage held every thread up for some 30 ms
        later(SOON, self._get_quicker)
        log.info(
            "The models run on %s, %d pieces of work at a time with %d threads each; warmed up in %.1f s.",
            self.provider,
            self.workers,
            self.threads,
            time.perf_counter() - begun,
        )

    def _get_quicker(self) -> None:
        """Load what is not needed yet; a photo that came with the start is not kept waiting for it."""
        self._speaker.read_on()
        if self.threads == 1 and available_cores() > 1:
            self._decoder.widen(self._twin("speaker"))
            if self.sessions["captioner_encoder"].provider == CPU:
                self._captioner.widen(self._twin("captioner_encoder"))
        gc.freeze()

    def _twin(self, name: str) -> Wide:
        """Return a model once more, for two cores."""
        return Wide(Session(self.bundle.model(name), provider="cpu", threads=2, spins=True), self._cores.borrowed)

    def look(self, data: bytes, stopwatch: Stopwatch | None = None) -> Scene:
        """Return what is seen in the bytes of a photo; raise BadInput if they are not one."""
        stopwatch = stopwatch or Stopwatch()
        with self._cores.busy(), stopwatch("decode"):
            photo = decode(data)
        return self.observe(photo, stopwatch)

    def observe(self, photo: Photo, stopwatch: Stopwatch | None = None) -> Scene:
        """Return what is seen in a decoded photo."""
        stopwatch = stopwatch or Stopwatch()
        with self._cores.busy():
            scene = self.observer.look(photo, stopwatch)
        metrics.note_stages(stopwatch.timings_ms)
        return scene

    def reply(
        self,
        scene: Scene,
        persona: Persona,
        turns: Sequence[Turn] = (),
        *,
        speaker: int = 0,
        seed: int | None = None,
        recent: Collection[str] = (),
    ) -> Reply:
        """Return what person number ``speaker`` says: an opening, or the answer to the last turn."""
        with self._cores.busy():
            reply = self._speaker.reply(scene, persona, turns, speaker=speaker, seed=seed, recent=recent)
        metrics.note_reply(reply, persona.voice)
        return reply

    def draw(self, wish: Wish, seed: int) -> Drawing:
        """Return a face that nobody has, as the wish asks; the same wish and seed give the same."""
        with self._cores.busy():
            return self.studio.draw(wish, seed)

    def morph(self, data: bytes, change: str, box: Box | None = None) -> bytes:
        """Return a GIF of a face in a photo that changes and changes back: in a person's box, else the largest.

        Raises BadInput when it is no photo or has no such face.
        """
        with self._cores.busy():
            photo = decode(data)
            face = self.studio.face_in(photo, box) if box else self.studio.face(photo)
            return self.studio.morph(photo, change, face)
