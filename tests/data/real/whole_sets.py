"""Whole small datasets for chapters: training, validation and test of a few people each, in their real layouts."""

from pathlib import Path

import fixtures_human36m
import fixtures_mpi_inf_3dhp
import fixtures_threedpw
import numpy as np
import people
import torch

from posebook.body import load_assets, load_body
from posebook.body.cached import body_folder
from posebook.body.smpl_file import FACES
from posebook.cache import cache_dir
from posebook.data.real import body_models, human36m_json, mpi_inf_3dhp, threedpw
from posebook.data.real.prepare import prepare
from posebook.own_body import FREE


def put(reader, source: Path, splits) -> None:
    """Prepare splits where `open_real` finds them."""
    for split in splits:
        outcome = prepare(reader, source, split, cache_dir("real") / reader.name / split)
        assert outcome.state == "prepared", outcome.message


def make_3dpw(folder: Path, monkeypatch, scored: bool = True, frames: int = 24) -> None:
    """Four videos of two people. With `scored`, a stand-in for SMPL and its regressor gives Human3.6M's joints."""
    monkeypatch.setattr(fixtures_threedpw, "FRAMES", frames)
    for split, sequence in (("train", "a_00"), ("train", "b_00"), ("validation", "c_00"), ("test", "d_00")):
        fixtures_threedpw.write(folder, sequence, split)
    if scored:
        stand_in(folder / "models", monkeypatch)
    put(threedpw.READER, folder, ("train", "validation", "test"))


def smpl_arrays() -> dict[str, np.ndarray]:
    """The free body with SMPL's numbers of vertices and faces; eight faces are there twice."""
    load_assets("smpl6890", FREE)  # bakes it
    with np.load(body_folder() / "smpl6890.npz") as stored:
        arrays = dict(stored)
    missing = FACES - len(arrays["f"])
    return arrays | {"f": np.concatenate([arrays["f"], arrays["f"][:missing]])}


def make_bodies(folder: Path, monkeypatch) -> None:
    """The free body in SMPL's layout as all three models, converted as the user's are; everybody then is one person."""
    layer, assets = load_body(FREE, "smpl6890"), load_assets("smpl6890", FREE)
    folder.mkdir(parents=True)
    for name in ("SMPL_NEUTRAL", "SMPL_MALE", "SMPL_FEMALE"):
        np.savez(folder / f"{name}.npz", **smpl_arrays())
    for name, rows in ((body_models.REGRESSOR, assets.regressors["h36m17"][[0, 4, 5, 6, 1, 2, 3, *range(7, 17)]]),
                       ("J_regressor_extra.npy", assets.regressors["spin_extra9"])):  # fmt: skip
        np.save(folder / name, rows)
    body_models.convert_all(folder, body_models.models_folder())
    shape = np.linspace(-1, 1, 10)
    with torch.no_grad():
        rest = layer(betas=torch.tensor(shape[None], dtype=torch.float32)).joints[0, :24].double().numpy()
    monkeypatch.setattr(people, "SHAPE", shape)
    monkeypatch.setattr(people, "REST", rest)


def stand_in(folder: Path, monkeypatch) -> None:
    """Files that are there, and a body that poses the fixtures' skeleton, left leg first as SPIN's regressor."""
    folder.mkdir(parents=True)
    for name in ("SMPL_MALE.npz", "SMPL_FEMALE.npz", body_models.REGRESSOR):
        (folder / name).write_bytes(b"x")

    def posed(betas, rotations):
        poses = people.Rotation.from_matrix(rotations.numpy().reshape(-1, 3, 3)).as_rotvec().reshape(-1, 72)
        joints = people.h36m17(people.forward(poses, np.zeros((len(poses), 3))))
        return torch.from_numpy(joints[:, [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]])

    monkeypatch.setattr(body_models, "models_folder", lambda: folder)
    monkeypatch.setattr(body_models, "regressed", lambda gender, folder: posed)


def make_human36m(folder: Path, monkeypatch, frames: int = 20, fits: bool = False) -> None:
    """The JSON form: five training actors, two of the test, two cameras. Fits want `make_bodies` before."""
    monkeypatch.setattr(fixtures_human36m, "FRAMES", frames)
    fixtures_human36m.write_json(folder, (1, 5, 6, 7, 8, 9, 11), fits=fits)
    put(human36m_json.READER, folder, ("train", "test"))


def make_3dhp(folder: Path, monkeypatch, frames: int = 6) -> None:
    """Three training actors before eight cameras, one test sequence."""
    monkeypatch.setattr(fixtures_mpi_inf_3dhp, "FRAMES", frames)
    for seed, subject in enumerate(("S1", "S2", "S3")):
        fixtures_mpi_inf_3dhp.write_train(folder, subject=subject, seed=seed, videos=True)
    monkeypatch.setattr(fixtures_mpi_inf_3dhp, "FRAMES", 4 * frames)
    fixtures_mpi_inf_3dhp.write_test(folder, pictures=True)
    put(mpi_inf_3dhp.READER, folder, ("train", "test"))


MAKE = {"3dpw": make_3dpw, "human36m_json": make_human36m, "mpi_inf_3dhp": make_3dhp}
