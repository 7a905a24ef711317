"""Official weights: which files there are, reading them safely, running them, and their papers' evaluation."""

from posebook.weights.evaluate import Evaluation, evaluate_weights
from posebook.weights.files import LoadedWeights, default_folder, find_file, load_weights
from posebook.weights.known import I2L_PROTOCOL, KNOWN, KnownWeights, Published, known_weights
from posebook.weights.networks import methods_in, official_methods

__all__ = [
    "I2L_PROTOCOL",
    "KNOWN",
    "Evaluation",
    "KnownWeights",
    "LoadedWeights",
    "Published",
    "default_folder",
    "evaluate_weights",
    "find_file",
    "known_weights",
    "load_weights",
    "methods_in",
    "official_methods",
]
