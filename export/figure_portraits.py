"""Pictures of the GAN and the VAE: what drives the two players, walks between faces, directions in latent space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from bot.portrait.alignment import TEMPLATE, align
from bot.portrait.artist import Artist, to_images
from bot.portrait.morpher import CHANGES, STEPS
from bot.portrait.pictures import labelled
from bot.portrait.studio import Studio
from bot.portrait.wishes import AGES, GENDERS, MOODS, Wish
from bot.runtime.session import Session
from bot.vision.detector import FaceDetector
from export.figure_paper import BLUE, GREEN, MUTED, ORANGE, RED, Models, bare, box, link, photo, sheet, show
from models.vae import effects, kl_divergence

NOISE = 128
WALK = (11, 5)  # seeds that the walk goes between
WALKER = Wish("young adult", "female", "happy")
SHOWN = "smile"  # of the morphs the one that is laid over the photo
MEAN, SPREAD = 1.0, 0.5  # of the distribution that is drawn beside the prior
POINTS = 400
SMILE, FEMALE = (1.6, 0.4), (-0.6, 1.8)  # how the two attributes move the made-up latent numbers


def game(models: Models) -> Figure:
    """Draw who sees what in the game, and how hard either loss pushes the generator."""
    del models
    figure = sheet(9, 3.3)
    plan, pushes = figure.subplots(1, 2, width_ratios=(1.5, 1))
    bare(plan, "two networks, one game")
    plan.set_xlim(0, 10)
    plan.set_ylim(0, 6)
    source = box(plan, 1, 4.6, "noise z\nconditions c", MUTED)
    generator = box(plan, 3.5, 4.6, "generator\nG", ORANGE)
    real = box(plan, 3.5, 1.4, "training face x\nconditions c", MUTED)
    change = box(plan, 6.1, 3, "same change\n(DiffAugment)", MUTED)
    judge = box(plan, 8.9, 3, "discriminator\nD", BLUE)
    link(source, generator)
    for face in (generator, real):
        link(face, change)
    link(change, judge)
    link(judge, generator, colour=ORANGE, bend=0.35)
    plan.text(8.9, 1.85, "real or drawn?", ha="center", color=BLUE)
    plan.text(7.6, 5.3, "what would have\nfooled D more", ha="center", color=ORANGE, fontsize=8)
    logits = np.linspace(-8, 4, 200)
    drawn = 1 / (1 + np.exp(-logits))
    pushes.plot(logits, drawn, color=RED, label=r"minimax: $\log(1-D)$")
    pushes.plot(logits, 1 - drawn, color=GREEN, label=r"non-saturating: $-\log D$")
    pushes.set_xlabel("logit of D for a drawn face (left: surely drawn)")
    pushes.set_ylabel("size of G's gradient")
    pushes.set_title("how hard G is pushed")
    pushes.legend(frameon=False, fontsize=8, loc="center left")
    return figure


def walks(models: Models) -> Figure:
    """Draw a walk between two seeds, then one seed through all ages, sober and smiling."""
    session = opened(models, "gan")
    artist = Artist(session)
    ends = [np.random.default_rng((seed, 0)).standard_normal(NOISE) for seed in WALK]  # as the artist draws them
    between = np.array([(1 - t) * ends[0] + t * ends[1] for t in np.linspace(0, 1, STEPS)], np.float32)
    same = np.array([WALKER.numbers()] * STEPS, np.int64)
    walk = to_images(session.run({"noise": between, "conditions": same})["faces"])
    rows = [(f"a walk from one seed to another: {WALKER.age}, {WALKER.gender}, {WALKER.mood}", walk)]
    for mood in MOODS:
        wishes = [Wish(age, gender, mood) for gender in GENDERS for age in AGES]
        title = f"one seed, {mood}: {', '.join(AGES)}; {', then '.join(GENDERS)}"
        rows.append((title, artist.draw_many(wishes, [WALK[0]] * len(wishes))))
    figure = sheet(9, 3.4)
    for axes, (title, faces) in zip(figure.subplots(len(rows), 1), rows, strict=True):
        show(axes, np.hstack([np.asarray(face) for face in faces]), title)
    figure.supxlabel("AI-generated: none of these people exists", fontsize=8, color=MUTED)
    return figure


def opened(models: Models, name: str) -> Session:
    """Return a session of a model that the engine does not load by itself."""
    return Session(models.bundle.model(name), provider="cpu", threads=1)


def latent(models: Models) -> Figure:
    """Draw a latent number's distribution beside the prior, and why directions are fitted together."""
    del models
    figure = sheet(9, 3.3)
    left, right = figure.subplots(1, 2)
    z = np.linspace(-3.5, 3.5, 300)
    left.plot(z, normal(z, 0, 1), color=MUTED, label="prior p(z)")
    left.plot(z, normal(z, MEAN, SPREAD), color=BLUE, label=f"q(z|x): mean {MEAN:g}, deviation {SPREAD:g}")
    log_variance = torch.tensor([[2 * float(np.log(SPREAD))]])
    nats = kl_divergence(torch.tensor([[MEAN]]), log_variance).item()
    left.set_title(f"one latent number of one face: KL = {nats:.2f} nats")
    left.legend(frameon=False, fontsize=8, loc="upper left")
    left.set_yticks([])
    attributes, points = smiling_women()
    fitted = effects(torch.from_numpy(points).float(), torch.from_numpy(attributes).float())[0].numpy()
    smiles = attributes[:, 0] > 0.5
    difference = points[smiles].mean(0) - points[~smiles].mean(0)
    right.scatter(*points.T, c=attributes[:, 1], s=np.where(smiles, 14, 5), cmap="coolwarm", alpha=0.65)
    for end, colour in ((difference, ORANGE), (fitted, GREEN)):
        right.annotate("", end, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.2})
    right.plot([], [], color=ORANGE, label="difference of means: smile and gender mixed")
    right.plot([], [], color=GREEN, label="least squares: smile alone")
    right.legend(frameon=False, fontsize=8, loc="lower right")
    right.set_title("made-up faces: large dots smile, red is female")
    right.set_xticks([])
    right.set_yticks([])
    right.set_ylim(-3.4, 3.6)
    return figure


def normal(z: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return the density of a normal distribution."""
    return np.asarray(np.exp(-0.5 * ((z - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)))


def smiling_women() -> tuple[np.ndarray, np.ndarray]:
    """Return made-up attributes (N, 2), smile and female, and latents (N, 2): women smile more often here."""
    dice = np.random.default_rng(0)
    female = dice.random(POINTS) < 0.5
    smile = dice.random(POINTS) < np.where(female, 0.8, 0.25)
    attributes = np.stack([smile, female], axis=1).astype(float)
    points = attributes @ np.array([SMILE, FEMALE]) + dice.normal(0, 0.45, (POINTS, 2))
    return attributes, points - points.mean(0)


def morphs(models: Models) -> Figure:
    """Draw two faces, what the VAE makes of them, its walks, and what the bot lays over the photo."""
    studio = Studio(models.bundle, FaceDetector(models.engine.sessions["face_detector"]), provider="cpu", threads=1)
    figure = sheet(9, 3.1)
    grid = figure.subplots(2, 4 + len(CHANGES))
    for number, name in enumerate(("portrait", "group")):
        picture = photo(name)
        face = max(studio.faces(picture), key=lambda found: found.box.x)  # of the group the one on the right
        frames, _ = studio.morpher.morph(picture, face, SHOWN)
        aligned = align(*_near(picture.image, face.landmarks))
        walked = [studio.morpher.walk(aligned, change, (0.0, 1.0)).clip(0, 255).astype(np.uint8) for change in CHANGES]
        cells = [aligned, walked[0][0], *(walk[1] for walk in walked), np.asarray(frames[0]), labelled(frames[STEPS])]
        titles = ["aligned", "128 numbers\nand back", *CHANGES, "the photo", f"the bot's morph:\n{SHOWN}"]
        for axes, cell, title in zip(grid[number], cells, titles, strict=True):
            show(axes, cell, "" if number else title)
    return figure


def _near(image: Image.Image, landmarks: Sequence[tuple[float, float]]) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return an image shrunk until its face is about as large as the template, so that turning it is smooth."""
    apart = TEMPLATE[1][0] - TEMPLATE[0][0]
    times = max(1, round((landmarks[1][0] - landmarks[0][0]) / apart))
    return np.asarray(image.reduce(times)), [(x / times, y / times) for x, y in landmarks]
