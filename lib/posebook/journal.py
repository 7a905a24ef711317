"""What a training of `posebook train` writes while it goes on: its curves for people, its best weights so far."""

import re
from pathlib import Path

from lightning_fabric.loggers import CSVLogger, TensorBoardLogger
from safetensors.torch import save_file
from torch import nn

from posebook.cache import atomic_path


def file_stem(name: str) -> str:
    """A row's name as a file name: "volume {1,16}" is volume-1-16."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")


class Journal:
    """Logs and best weights of one training.

    Best is the lowest training loss between two records: the papers train for a fixed budget and choose nothing on val,
    and neither do the chapters, whose rows are the last weights.

    Args:
        folder: where; None writes nothing.
        name: of the training.
        model: whose weights are kept.
    """

    def __init__(self, folder: Path | None, name: str, model: nn.Module):
        self.folder, self.stem, self.model = folder, file_stem(name), model
        self.loggers = []
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            curves = CSVLogger(folder / "logs", self.stem)  # every start has its own version_<n>
            self.loggers = [curves]
            if has_tensorboard():
                self.loggers.append(TensorBoardLogger(folder / "logs", self.stem, curves.version))

    def record(self, images: list[int], losses: list[float], learning_rate: float, minutes: float) -> None:
        """Log the newest record of a history, and keep the weights if it is the best.

        Args:
            images, losses: of the history so far. minutes: since the training's start.
        """
        if self.folder is None:
            return
        values = {"loss": losses[-1], "learning_rate": learning_rate, "images_per_second": images[-1] / minutes / 60}
        for logger in self.loggers:
            logger.log_metrics(values, images[-1])
            logger.save()
        if losses[-1] == min(losses):
            state = {k: v.detach().cpu().contiguous().clone() for k, v in self.model.state_dict().items()}
            with atomic_path(self.folder / f"{self.stem}.best.safetensors") as temporary:
                save_file(state, temporary)

    def close(self) -> None:
        """Finish the logs."""
        for logger in self.loggers:
            logger.finalize("success")


def has_tensorboard() -> bool:
    """Whether the extra `train` is installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401  what the logger writes with
    except ImportError:
        return False
    return True
