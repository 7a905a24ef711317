"""Colours of hand parts: 16, one per MANO joint; label 0 is background, label j + 1 is what joint j moves."""

import numpy as np

# Hue tells the finger, lightness the place along it; colours of one lightness differ without red-green vision, too
# (Okabe and Ito's orange, sky blue, green, purple and vermilion). Order as MANO's: index, middle, pinky, ring, thumb.
HAND_PALETTE = np.array([
    (0, 0, 0), (170, 170, 170),
    (154, 106, 0), (208, 144, 0), (250, 190, 80), (40, 112, 156), (76, 164, 216), (150, 208, 246),
    (0, 96, 70), (0, 146, 106), (70, 200, 160), (110, 50, 86), (176, 92, 140), (226, 156, 196),
    (140, 58, 0), (198, 84, 0), (246, 140, 70),
], dtype=np.uint8)  # fmt: skip
