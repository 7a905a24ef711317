"""Random looks: clothes by body region with front and back different, skin, hair cap, light and background.

Everything is drawn from a generator that belongs to one sample (or sequence), so a picture does not depend on the order
of rendering.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from posebook.body import BodyAssets
from posebook.joints import SMPL24

# SMPL joints (part label - 1) by garment. Forearms and shanks are cloth or skin, as sleeves and trousers end.
SHIRT = ("spine1", "spine2", "spine3", "left_collar", "right_collar", "left_shoulder", "right_shoulder")
FOREARM = ("left_elbow", "right_elbow")
TROUSERS = ("pelvis", "left_hip", "right_hip")
SHANK = ("left_knee", "right_knee")
SHOES = ("left_ankle", "right_ankle", "left_foot", "right_foot")
SKIN_TONES = np.array([[255, 224, 196], [234, 192, 152], [198, 145, 104], [141, 92, 58], [84, 53, 36]]) / 255.0
HAIR_TONES = np.array([[25, 20, 18], [70, 45, 25], [120, 80, 40], [200, 170, 110], [150, 150, 150]]) / 255.0


class Regions(NamedTuple):
    """Masks over the faces of one mesh level; computed once per process."""

    garment: dict[str, np.ndarray]  # name -> (F,) bool
    front: np.ndarray  # (F,) bool, faces the person's front in the rest pose
    hair: np.ndarray  # (F,) bool


class Light(NamedTuple):
    """One distant light and ambient."""

    direction: np.ndarray  # (3,) unit, towards the light, camera frame
    ambient: float
    strength: float


def face_regions(assets: BodyAssets) -> Regions:
    """Garment masks from part labels, front and back from the rest normals, hair from the scalp vertices."""
    joint = assets.part_of_face - 1
    corners = assets.template[assets.faces]  # (F, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    groups = {"shirt": SHIRT, "forearm": FOREARM, "trousers": TROUSERS, "shank": SHANK, "shoes": SHOES}
    masks = {name: np.isin(joint, [SMPL24.index(j) for j in joints]) for name, joints in groups.items()}
    return Regions(masks, normals[:, 2] > 0, assets.hair_vertices[assets.faces].sum(1) >= 2)


def face_colours(regions: Regions, rng: np.random.Generator) -> np.ndarray:
    """Albedo of every face for one random outfit.

    Returns:
        (F, 3) float32 in [0, 1].
    """
    skin = np.clip(SKIN_TONES[rng.integers(len(SKIN_TONES))] * rng.uniform(0.85, 1.1), 0, 1)
    colours = np.tile(skin, (len(regions.front), 1))
    cloth = {name: (rng.uniform(0.05, 0.95, 3), rng.uniform(0.05, 0.95, 3)) for name in ("shirt", "trousers")}
    for name, (front, back) in cloth.items():
        paint(colours, regions.garment[name], regions.front, front, back)
    if rng.random() < 0.5:  # long sleeves
        paint(colours, regions.garment["forearm"], regions.front, *cloth["shirt"])
    if rng.random() < 0.7:  # long trousers
        paint(colours, regions.garment["shank"], regions.front, *cloth["trousers"])
    colours[regions.garment["shoes"]] = rng.uniform(0.0, 0.9, 3)
    colours[regions.hair] = np.clip(HAIR_TONES[rng.integers(len(HAIR_TONES))] * rng.uniform(0.7, 1.3), 0, 1)
    return colours.astype(np.float32)


def paint(colours: np.ndarray, mask: np.ndarray, front: np.ndarray, front_colour, back_colour) -> None:
    """Colour the faces of a garment in place, front and back apart."""
    colours[mask & front] = front_colour
    colours[mask & ~front] = back_colour


def random_light(rng: np.random.Generator) -> Light:
    """Light from above or the sides, mostly in front of the person."""
    direction = np.array([rng.normal(0, 0.7), -abs(rng.normal(0.6, 0.4)), rng.normal(-0.8, 0.5)])
    ambient = rng.uniform(0.35, 0.65)
    return Light((direction / np.linalg.norm(direction)).astype(np.float32), ambient, rng.uniform(0.5, 0.8))


def background(seed_words: list[int], size: int) -> np.ndarray:
    """A made-up scene: smooth colour noise, a floor line, a few boxes. Determined by its seed words.

    Args:
        seed_words: integers that stand for its id (see `synthetic.seed_words`).
        size: pixels.

    Returns:
        (H, W, 3) float32 in [0, 1], not to be written to: the frames of a sequence share it.
    """
    return draw_background(tuple(seed_words), size)


@lru_cache(maxsize=16)
def draw_background(seed_words: tuple[int, ...], size: int) -> np.ndarray:
    """As `background`; the last few are kept."""
    rng = np.random.default_rng(np.random.SeedSequence(seed_words))
    grid = (np.arange(size) + 0.5) / size
    picture = np.zeros((size, size, 3), np.float32)
    for cells, weight in ((2, 0.5), (5, 0.3), (13, 0.15)):
        picture += weight * smooth_noise(rng.random((cells, cells, 3)), grid)
    floor = rng.uniform(0.55, 0.95)
    picture[grid > floor] = 0.5 * picture[grid > floor] + 0.5 * rng.random(3)
    for _ in range(rng.integers(0, 5)):
        x, y = rng.uniform(-0.2, 1, 2)
        w, h = rng.uniform(0.05, 0.5, 2)
        inside = ((grid > y) & (grid < y + h))[:, None] & ((grid > x) & (grid < x + w))[None]
        picture[inside] = 0.3 * picture[inside] + 0.7 * rng.random(3)
    picture = np.clip(picture + rng.normal(0, 0.02, picture.shape), 0, 1).astype(np.float32)
    picture.flags.writeable = False
    return picture


def smooth_noise(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Bilinear upsampling of (n, n, 3) values to the positions `grid` (S,) in [0, 1] along both axes."""
    n = len(values)
    at = np.clip(grid * n - 0.5, 0, n - 1 - 1e-6)
    low = at.astype(int)
    high = np.minimum(low + 1, n - 1)
    share = (at - low)[:, None, None]
    rows = values[low] * (1 - share) + values[high] * share  # (S, n, 3)
    columns = np.swapaxes(rows, 0, 1)
    return np.swapaxes(columns[low] * (1 - share) + columns[high] * share, 0, 1)
