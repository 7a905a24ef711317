"""A mesh over a picture: only faces towards the camera, near ones last."""

import numpy as np
from matplotlib.figure import Figure

from posebook.plots.projected import draw_projected_mesh


def quad(depth, turned=False):
    """A square 1 m wide at some depth, facing the camera (y down, z forward) or turned away."""
    vertices = np.array([[-0.5, -0.5, depth], [0.5, -0.5, depth], [0.5, 0.5, depth], [-0.5, 0.5, depth]])
    faces = np.array([[0, 3, 2], [0, 2, 1]]) if not turned else np.array([[0, 2, 3], [0, 1, 2]])
    return vertices, faces


def drawn(vertices, faces):
    panel = Figure().subplots()
    pixels = 100 * vertices[:, :2] / vertices[:, 2:] + 50
    draw_projected_mesh(panel, pixels, vertices, faces, "#ff0000")
    return panel.collections[0]


def test_faces_away_from_the_camera_are_not_drawn():
    towards, away = (len(drawn(*quad(3.0, turned)).get_paths()) for turned in (False, True))
    assert sorted((towards, away)) == [0, 2] and away == 2 - towards


def test_near_faces_are_drawn_over_far_ones_and_light_faces_are_brighter():
    near, far = quad(2.0)[0], quad(4.0)[0]
    faces = quad(2.0)[1]
    faces = faces if len(drawn(near, faces).get_paths()) else faces[:, ::-1]
    collection = drawn(np.concatenate([near, far]), np.concatenate([faces, faces + 4]))
    sizes = [np.ptp(path.vertices[:, 0]) for path in collection.get_paths()]
    assert sizes == sorted(sizes)
    red = collection.get_facecolors()[:, 0]
    assert (red > 0.8).all() and (collection.get_facecolors()[:, 1:3] == 0).all()
