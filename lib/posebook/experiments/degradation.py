"""Error of a trained stage 2 against the quality of the part maps it is shown."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from posebook.data.body_batches import BodyBatches
from posebook.data.degrade import DEGRADATIONS, degrade
from posebook.experiments.bodies import Judge, chunks
from posebook.experiments.nbf import Variant, predict
from posebook.experiments.segmentation import map_scores
from posebook.joints import H36M17
from posebook.metrics import mpjpe, root_relative
from posebook.models.nbf import NeuralBodyFitting
from posebook.progress import Progress


def degradation_curve(model: NeuralBodyFitting, variant: Variant, test: BodyBatches, judge: Judge,
                      amounts: Sequence[float]) -> pd.DataFrame:  # fmt: skip
    """Error against F1 of a trained network that is shown worse and worse maps.

    Args:
        model, variant: trained on part maps. test: with the maps to spoil. judge: of the same test set.
        amounts: of the dial, 0 to 1.

    Returns:
        One line per (kind, amount): F1 of the maps seen over 12 parts, MPJPE in mm.
    """
    truth = torch.from_numpy(np.array(test.dataset.arrays["joints3d_h36m17"]))
    clean = np.array(test.dataset.arrays["parts"])
    lines, progress = [], Progress(len(DEGRADATIONS) * len(amounts), "Spoiling maps", "dials")
    for kind in DEGRADATIONS:
        for amount in amounts:
            seen = degraded_labels(test, kind, amount)
            found = predict(model, variant, test.showing(seen, test.seen), judge, amount=0, mesh=False)
            pred, true = (root_relative(torch.as_tensor(j), H36M17.root) for j in (found["joints3d"], truth))
            lines.append((kind, amount, map_scores(seen, clean).mean_f1, float(mpjpe(pred, true))))
            progress.update()
    progress.close()
    return pd.DataFrame(lines, columns=["kind", "amount", "f1", "mpjpe"])


def degraded_labels(test: BodyBatches, kind: str, amount: float) -> np.ndarray:
    """(N, H, W) uint8: the very maps that `predict` shows at this dial."""
    generator = torch.Generator(test.device).manual_seed(0)
    return torch.cat([degrade(b.labels, kind, amount, generator) for b in chunks(test)]).cpu().numpy()
