"""An official file on a dataset, by its paper's protocol, beside the published numbers."""

from collections.abc import Iterator
from pathlib import Path

from posebook.weights.evaluate import evaluate_weights
from posebook.weights.files import LoadedWeights
from posebook.weights.networks import official_methods
from posebook.weights.prepared import SAME_AS, check_protocol, prepared_dataset
from posebook.weights.report import evaluation_text


def compare(loaded: LoadedWeights, dataset: str, folder: Path, smpl: str = "", limit: int = 0) -> Iterator[str]:
    """One text for each answer of the network.

    Args:
        loaded: the file. dataset: see `prepared_dataset`. folder, smpl: see `official_methods`.
        limit: the first so many pictures only; 0 takes all.

    Raises:
        PosebookError: what is missing, in one sentence.
    """
    known = loaded.known
    check_protocol(known, dataset)
    methods = official_methods(loaded, folder, smpl)
    data = prepared_dataset(dataset, methods[0].size)
    for method in methods:
        rows = [p for p in known.published if p.dataset == SAME_AS.get(dataset, dataset)
                and (not p.answer or method.name.endswith(p.answer))]  # fmt: skip
        yield evaluation_text(method.name, evaluate_weights(method, data, known.protocol, limit), rows)
