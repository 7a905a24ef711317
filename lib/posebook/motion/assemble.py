"""From a plan to a clip: limits, inverse kinematics or stride, floor, heading."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from posebook.motion.clearance import clear_arms
from posebook.motion.clip import FPS, MotionClip
from posebook.motion.legs import stand
from posebook.motion.limits import dofs_to_rotations, soft_limit
from posebook.motion.plan import Plan, about
from posebook.motion.skeleton import Skeleton, axis_angle, forward, lift_clear, sole_positions
from posebook.motion.stride import travel


def assemble(body: Skeleton, plan: Plan, name: str, action: str, subject: str) -> MotionClip:
    """Make the clip that a plan describes, on the floor of the world.

    Args:
        body: the mean body's skeleton.
        plan: the motion in the heading's frame; its legs' angles are filled in.
        name: clip name.
        action: its action.
        subject: its subject.

    Returns:
        MotionClip with T = plan.frames.
    """
    plan.angles = clear_arms(body, plan.pelvis_rotations(), soft_limit(plan.angles))
    heading = about("y", torch.tensor(plan.heading).deg2rad())
    root = heading @ plan.pelvis_rotations()
    if plan.stride:
        turned = torch.cat((root[:, None], dofs_to_rotations(plan.angles)), 1)
        transl = torch.tensor(travel(body, plan, forward(body.joints, turned)))
    else:
        pelvis = stand(body, plan)
        plan.angles = soft_limit(plan.angles)
        turned = torch.cat((root[:, None], dofs_to_rotations(plan.angles)), 1)
        transl = (heading @ pelvis[..., None]).squeeze(-1) - body.joints[0]
    lowest = sole_positions(body, forward(body.joints, turned, transl))[..., 1].amin(1).numpy()
    if not plan.stride:  # where limits kept a foot from its place the body settles: one foot is always down
        settle = gaussian_filter1d(lowest, 2.0, mode="nearest")
        transl[:, 1] -= torch.tensor(settle)
        lowest = lowest - settle
    transl[:, 1] += torch.tensor(lift_clear(lowest))
    transl[:, [0, 2]] -= transl[:, [0, 2]].mean(0)
    pose = axis_angle(turned[:, 1:]).reshape(plan.frames, 69)
    return MotionClip(name, action, subject, FPS, axis_angle(root), pose, transl.numpy().astype(np.float32))
