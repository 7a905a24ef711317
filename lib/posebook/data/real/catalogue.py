"""What can be had where: one entry per dataset. The table of data_download/README.md is made from it.

Source: specs/data.md section 1; what is marked unverified there is not repeated here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from posebook.errors import PosebookError
from posebook.markdown import table

RESEARCH = "research only, no redistribution"


@dataclass(frozen=True)
class File:
    """One file as its publisher offers it."""

    name: str  # may hold * and ?
    address: str = ""  # where no login is needed
    checksum: str = ""  # published sha256 or md5, where there is one


@dataclass(frozen=True)
class Entry:
    """One dataset."""

    name: str
    title: str
    what: str
    licence: str
    register: str  # page with the licence
    files: tuple[File, ...]
    size: str
    chapters: str
    labels: str
    splits: tuple[str, ...]
    script: str
    lacks: str = ""  # why labels are missing and what to do


CATALOGUE = (
    Entry(
        "3dpw", "3DPW", "60 outdoor videos of one or two people with SMPL fits from IMUs",
        "non-commercial research, no redistribution", "https://virtualhumans.mpi-inf.mpg.de/3DPW",
        (File("imageFiles.zip"), File("sequenceFiles.zip")), "4.5 GB of pictures", "03 04",
        "SMPL, SMPL-24 joints, camera, OpenPose-18 detections", ("train", "validation", "test"), "threedpw.py",
        "H36M-17 joints are regressed from the mesh, part maps drawn of it: convert your SMPL files with SPIN's "
        "J_regressor_h36m.npy and J_regressor_extra.npy (data_download/body_models.py), then prepare again.",
    ),
    Entry(
        "human36m", "Human3.6M", "11 actors, 15 actions, 4 calibrated cameras in a studio", RESEARCH,
        "http://vision.imar.ro/human3.6m",
        (File("Poses_D3_Positions_mono_S*.tgz"), File("Poses_D2_Positions_S*.tgz"), File("Videos_S*.tgz"),
         File("code-v1.2.zip")), "32 GB of pictures at 10 fps", "01 02 03 04",
        "H36M-32 joints in 2D and 3D, camera", ("train", "test"), "human36m.py",
        "The original archives hold no SMPL parameters; fits come with the preprocessed JSON form.",
    ),
    Entry(
        "human36m_json", "Human3.6M, JSON form", "the same pictures as I2L-MeshNet, Pose2Mesh and TCMR read them",
        RESEARCH, "http://vision.imar.ro/human3.6m", (File("Human36M_subject*_*.json"), File("images/")),
        "see Human3.6M", "01 02 03 04", "H36M-17 joints, camera, boxes, SMPL fits", ("train", "test"),
        "human36m_json.py",
        "Bodies need the neutral SMPL file with SPIN's J_regressor_h36m.npy and J_regressor_extra.npy converted "
        "(data_download/body_models.py) before it is prepared, and every subject's smpl_param.json.",
    ),
    Entry(
        "human36m_npz", "Human3.6M, VideoPose3D's files", "joints of every video as arrays, no pictures", RESEARCH,
        "http://vision.imar.ro/human3.6m",
        (File("data_3d_h36m.npz"), File("data_2d_h36m_gt.npz"), File("metadata.xml")),
        "labels only", "05", "H36M-17 joints in 2D and 3D, camera", ("train", "test"), "human36m_npz.py",
        "VideoPose3D's files hold joints only.",
    ),
    Entry(
        "human36m_c2f", "Human3.6M, C2F's files", "pictures at 10 fps as the coarse-to-fine volume's authors cut them",
        RESEARCH, "http://visiondata.cis.upenn.edu/volumetric/h36m",
        (File("h36m_annot.tar", "http://visiondata.cis.upenn.edu/volumetric/h36m/h36m_annot.tar"),
         File("S*.tar")), "8 GB of test pictures, 32 GB in all", "01",
        "H36M-17 joints in 2D and 3D, camera, boxes", ("train", "test"), "human36m_c2f.py",
        "C2F's files hold joints only.",
    ),
    Entry(
        "mpi_inf_3dhp", "MPI-INF-3DHP", "8 actors, 14 cameras; a test set indoors and outdoors",
        "research, non-commercial", "http://gvv.mpi-inf.mpg.de/3dhp-dataset/mpi_inf_3dhp.zip",
        (File("mpi_inf_3dhp.zip", "http://gvv.mpi-inf.mpg.de/3dhp-dataset/mpi_inf_3dhp.zip"),),
        "the archive holds scripts that fetch the rest", "01 04", "28 (train) or 17 (test) joints in 2D and 3D, camera",
        ("train", "test"), "mpi_inf_3dhp.py", "Its joints are not those of Human3.6M: it has keypoints3d.",
    ),
    Entry(
        "muco", "MuCo-3DHP", "people of MPI-INF-3DHP composited into one picture; the nearest is read",
        "research, non-commercial", "http://gvv.mpi-inf.mpg.de/projects/SingleShotMultiPerson",
        (File("MuCo-3DHP.json"), File("augmented_set/"), File("unaugmented_set/"), File("smpl_param.json")),
        "see the page", "03", "17 joints in 2D and 3D, camera, boxes, SMPL fits", ("train",), "muco.py",
        "MuCo's joints are MPI-INF-3DHP's, and it has no test split.",
    ),
    Entry(
        "mpii", "MPII human pose", "people in frames of videos", "research; no commercial use",
        "http://human-pose.mpi-inf.mpg.de",
        (File("mpii_human_pose_v1.tar.gz", "https://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/mpii_human_pose_v1.tar.gz"),
         File("annot/train.h5"), File("annot/valid.h5"), File("mpii_human_pose_v1_u12_2.zip")),
        "12.9 GB of pictures", "01 04",
        "MPII-16 joints in 2D, boxes", ("train", "valid"), "mpii.py", "MPII has 2D joints only.",
    ),
    Entry(
        "spin_npz", "SPIN's lists", "pictures of several datasets with SPIN's joints and fits, one list each",
        "each dataset's own", "https://github.com/nkolot/SPIN", 
        (File("dataset_extras.tar.gz", "http://visiondata.cis.upenn.edu/spin/dataset_extras.tar.gz"),), "see the page",
        "04", "SPIN-49 joints in 2D, H36M-17 in 3D relative to the root, SMPL fits",
        ("h36m_train", "h36m_valid_protocol1", "h36m_valid_protocol2", "mpi_inf_3dhp_train", "mpi_inf_3dhp_valid",
         "3dpw_test"), "spin_npz.py", "SPIN's lists have no cameras.",
    ),
    Entry(
        "freihand", "FreiHAND", "32,560 right hands before four kinds of background", "research only",
        "https://lmb.informatik.uni-freiburg.de/data/freihand",
        (File("FreiHAND_pub_v2.zip", "https://lmb.informatik.uni-freiburg.de/data/freihand/FreiHAND_pub_v2.zip"),
         File("FreiHAND_pub_v2_eval.zip", "https://lmb.informatik.uni-freiburg.de/data/freihand/FreiHAND_pub_v2_eval.zip")),
        "3.7 GB and 724 MB", "03", "21 joints, MANO, camera", ("training", "evaluation"), "freihand.py",
    ),
    Entry(
        "cmu_mocap", "CMU mocap", "motion of 144 people in 2,435 trials, retargeted to SMPL (`--motion cmu`)",
        "free for all uses, no direct resale; acknowledgement asked", "http://mocap.cs.cmu.edu",
        (File("*.bvh"), File("*.bvh.gz")), "0.8 GB", "01 02 03 04", "motion", ("train", "val", "test"), "cmu_mocap.py",
    ),
    Entry(
        "amass", "AMASS", "motion of many mocap sets as SMPL+H", "non-commercial", "https://amass.is.tue.mpg.de",
        (File("*.tar.bz2"),),
        "one archive per subset", "04", "SMPL+H motion, world frame", ("train", "val", "test"), "amass.py",
        "AMASS is motion without pictures or cameras.",
    ),
    Entry(
        "coco", "COCO keypoints", "people in everyday photos", "annotations CC BY 4.0; pictures under Flickr licences",
        "https://cocodataset.org",
        (File("annotations_trainval2017.zip", "http://images.cocodataset.org/annotations/annotations_trainval2017.zip"),
         File("train2017.zip", "http://images.cocodataset.org/zips/train2017.zip"),
         File("val2017.zip", "http://images.cocodataset.org/zips/val2017.zip")),
        "annotations without pictures are enough for the 2D prior", "03 05", "COCO-17 joints in 2D, boxes",
        ("train2017", "val2017"), "coco.py", "COCO has 2D joints only.",
    ),
    Entry(
        "up3d", "UP-3D (Unite the People)", "photos of LSP, MPII and FashionPose with SMPL fits",
        "CC BY-NC 4.0; SMPL licence apart",
        "http://files.is.tue.mpg.de/classner/up", (File("up-3d.zip"),), "see the page", "02",
        "SMPL, LSP-14 joints in 2D", ("train", "val", "trainval", "test"), "up3d.py",
        "Joints in 3D and part maps are those of the fitted mesh and need the neutral SMPL file with SPIN's "
        "J_regressor_h36m.npy and J_regressor_extra.npy (data_download/body_models.py).",
    ),
    Entry(
        "humaneva", "HumanEva-I", "four people, six actions, calibrated cameras", "see the page",
        "http://humaneva.is.tue.mpg.de",
        (File("data_3d_humaneva15.npz"), File("data_2d_humaneva15_gt.npz"), File("S*/Calibration_Data/*.cal")),
        "raw data need MATLAB; read are the files that VideoPose3D's scripts make", "05", "15 joints in 2D and 3D",
        ("train", "validate"), "humaneva.py", "Its 15 joints are not those of Human3.6M: it has keypoints3d.",
    ),
    Entry(
        "pennaction", "PennAction", "2,326 clips of sports", "see the page",
        "http://dreamdragon.github.io/PennAction", (File("Penn_Action.tar.gz"),), "3 GB", "04",
        "13 joints in 2D, boxes", ("train", "test"), "pennaction.py", "PennAction has 2D joints only.",
    ),
    Entry(
        "posetrack", "PoseTrack18", "videos of several people, tracked", "on request", "https://posetrack.net",
        (File("posetrack_data/annotations/"), File("images/")), "see the page", "04", "17 joints in 2D, tracks",
        ("train", "val"), "posetrack.py", "PoseTrack has 2D joints only.",
    ),
    Entry(
        "instavariety", "InstaVariety", "detected joints on Instagram videos, no pictures",
        "VIBE's files: non-commercial", "https://github.com/akanazawa/human_dynamics",
        (File("insta_train_db.h5", checksum="8ec335d1d48bd54687ad5c9a6eeb2999"),), "18 GB", "04",
        "OpenPose-25 pseudo-labels in 2D", ("train",), "instavariety.py",
        "InstaVariety has 2D pseudo-labels only, and no pictures.",
    ),
    Entry(
        "kinetics", "Kinetics-400", "clips with joints that your own detector found", "terms of YouTube",
        "its authors' lists; videos are on YouTube",
        (File("<clip>.npz"),), "as many clips as you take", "04", "COCO-17 pseudo-labels in 2D", ("train",),
        "kinetics.py", "Kinetics has 2D pseudo-labels only.",
    ),
    Entry(
        "body_models", "SMPL and MANO", "the licensed body and hand models, converted once to plain npz",
        "non-commercial; each its own", "https://smpl.is.tue.mpg.de, https://mano.is.tue.mpg.de",
        (File("basicModel_f_lbs_10_207_0_v1.0.0.pkl"), File("basicModel_m_lbs_10_207_0_v1.0.0.pkl"),
         File("SMPL_NEUTRAL.pkl"), File("MANO_RIGHT.pkl"), File("J_regressor_h36m.npy"),
         File("J_regressor_extra.npy")),
        "under 1 GB", "02 03 04", "models",
        ("models",), "body_models.py",
    ),
)  # fmt: skip


def by_name(items: Sequence[Any], name: str, what: str) -> Any:
    """The item of that name; PosebookError, which lists all names, if there is none."""
    found = {item.name: item for item in items}
    if name not in found:
        raise PosebookError(f"Unknown {what} {name!r}; known: {', '.join(found)}.")
    return found[name]


def entry(name: str) -> Entry:
    """An entry by name; PosebookError for an unknown one."""
    return by_name(CATALOGUE, name, "dataset")


def addresses(found: Entry) -> set[str]:
    """Addresses that the publisher offers without a login."""
    return {file.address for file in found.files if file.address}


def markdown_table() -> str:
    """The table of data_download/README.md."""
    head = ("dataset", "what it is", "labels", "licence", "where to register", "size", "chapters", "script")
    rows = [(e.title, e.what, e.labels, e.licence, e.register, e.size,
             e.chapters, f"`{e.script}`") for e in CATALOGUE]  # fmt: skip
    return table(head, rows)
