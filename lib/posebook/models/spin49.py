"""SPIN's 49 joints: where they come from, what they are called, and the subsets that evaluations read.

A pool of 54 = SMPL's 24 joints, 21 vertices, 9 rows of an extra regressor; the 49 joints are picked from it. Joints
0..24 are in OpenPose's BODY_25 order, 25..48 in the order of the LSP, MPII and H36M annotations, so that many body
joints are there twice. Source: specs/vibe.md 1.1.
"""

SPIN49_FROM_POOL = (
    24, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
    8, 5, 45, 46, 4, 7, 21, 19, 17, 16, 18, 20, 47, 48, 49, 50, 51, 52, 53, 24, 26, 25, 28, 27,
)  # fmt: skip

SPIN_VERTEX_NAMES = (  # pool 24..44, by smplx's names
    "nose", "reye", "leye", "rear", "lear", "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
    "lthumb", "lindex", "lmiddle", "lring", "lpinky", "rthumb", "rindex", "rmiddle", "rring", "rpinky",
)  # fmt: skip
SMPL_VERTEX_IDS = (  # the same on SMPL's own mesh of 6,890 vertices
    332, 6260, 2800, 4071, 583, 3216, 3226, 3387, 6617, 6624, 6787,
    2746, 2319, 2445, 2556, 2673, 6191, 5782, 5905, 6016, 6133,
)  # fmt: skip

_BODY25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
    "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
SPIN49_NAMES = (
    *(f"openpose_{name}" for name in _BODY25),
    "right_ankle", "right_knee", "right_hip_lsp", "left_hip_lsp", "left_knee", "left_ankle", "right_wrist",
    "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck_lsp", "head_top_lsp",
    "pelvis_mpii", "thorax_mpii", "spine_h36m", "jaw_h36m", "head_h36m", "nose", "left_eye", "right_eye", "left_ear",
    "right_ear",
)  # fmt: skip

COMMON14_FROM_SPIN49 = tuple(range(25, 39))  # LSP's order: the joints of the 3D loss and of 3DPW's tables
COMMON14_HIPS = (2, 3)  # right and left; their mean is the root
# MPI-INF-3DHP's 17: head top, neck, right arm, left arm, right leg, left leg, hip, spine, head.
MPII3D17_FROM_SPIN49 = (38, 37, 33, 32, 31, 34, 35, 36, 27, 26, 25, 28, 29, 30, 39, 41, 43)

# Rows of J_regressor_h36m.npy in LSP's order. That file has the LEFT leg first (1..3), unlike this library's H36M-17.
H36M_TO_J17 = (6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10, 0, 7, 9)
H36M_TO_J14 = H36M_TO_J17[:14]
