"""Real datasets in the sample schema: prepared once from the user's own files, pictures left where they are."""

from posebook.data.real.dataset import RealDataset, RealHandDataset, need, open_real

__all__ = ["RealDataset", "RealHandDataset", "need", "open_real"]
