"""Posebook: five 3D human pose and mesh papers on one body, one data protocol and one table.

Conventions used everywhere in this package:

* metres and radians; millimetres only in `posebook.metrics` results and in tables;
* world frame y up, floor at y = 0; camera frame x right, y down, z forward;
* pixels are continuous: (0, 0) is the image's top-left corner, the first pixel's centre is (0.5, 0.5);
* rotations are axis-angle vectors or matrices acting on column vectors;
* shape letters: B batch, T frames, J joints, V vertices, F faces, H W image, D depth bins.
"""

__version__ = "0.1.0"
