"""Rows of a prepared dataset by people and scenes: along these validation, and the halves of chapters 2 and 5, are cut.

A group is everything that shares a person or a clip with the rest of it: 3DPW's two people of one video are one group,
an actor of Human3.6M with all actions and cameras is another. Who is where follows from a fixed hash of the names.
"""

import hashlib

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from posebook.errors import PosebookError

VAL_SHARE = 0.1  # of the groups, at least one


def groups_of(subject: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """(N,) str: name of every row's group, the first of its clips in the alphabet.

    Args:
        subject, clip: (N,) texts; two rows with one of them in common are in one group.
    """
    people, person = np.unique(subject, return_inverse=True)
    clips, number = np.unique(clip, return_inverse=True)
    size = len(people) + len(clips)
    edges = coo_matrix((np.ones(len(person)), (person, len(people) + number)), shape=(size, size))
    _, label = connected_components(edges, directed=False)
    of_clip = label[len(people) :]
    first = {group: clips[np.flatnonzero(of_clip == group)[0]] for group in np.unique(of_clip)}
    return np.array([first[group] for group in of_clip])[number]


def shuffled(names: np.ndarray, salt: str) -> list[str]:
    """Different names in the order of a fixed hash."""
    return sorted(np.unique(names), key=lambda name: hashlib.sha256(f"{salt}:{name}".encode()).digest())


def val_rows(groups: np.ndarray) -> np.ndarray:
    """(N,) bool: rows of the training split that validate; none where there is one group only."""
    names = shuffled(groups, "posebook-val-1")
    count = max(1, round(VAL_SHARE * len(names))) if len(names) > 1 else 0
    return np.isin(groups, names[:count])


def half_rows(groups: np.ndarray, half: str, halves: tuple[str, str], what: str) -> np.ndarray:
    """(N,) bool: rows of every second group.

    Args:
        groups: of `groups_of`. half: one of `halves`. what: for the message.

    Raises:
        PosebookError: there is one group only.
    """
    names = shuffled(groups, "posebook-half-1")
    if len(names) < 2:
        raise PosebookError(f"{what} holds one person or one scene only ({names[0]}); two are needed, so that the two "
                            "halves have nobody in common. Prepare more of it.")  # fmt: skip
    return np.isin(groups, names[halves.index(half) :: 2])
