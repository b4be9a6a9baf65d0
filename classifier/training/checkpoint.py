"""What an interrupted training needs to go on: weights, optimizer state, history."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from classifier.errors import ClassifierError
from classifier.files import explain_full_disk, replacing
from classifier.training.optimization import Optimization

History = list[dict[str, float]]


class Checkpoint:
    """One file, replaced after every epoch; a kill loses at most the epoch under way."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def save(self, model: nn.Module, optimization: Optimization | None, history: History) -> None:
        """Write the state after the last epoch of `history`, atomically; or raise DiskFullError.

        `optimization` is None after the last epoch of all: two thirds less to keep.
        """
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        if optimization is not None:
            tensors |= {f"optimizer.{name}": value for name, value in optimization.tensors()}
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        with explain_full_disk(self.file), replacing(self.file) as temporary:
            save_file(tensors, temporary, metadata={"history": json.dumps(history)})

    def restore(self, model: nn.Module, optimization: Optimization) -> History:
        """Put the saved state back and give its history; an empty one where there is none."""
        try:
            with safe_open(self.file, framework="pt") as saved:
                history: History = json.loads(saved.metadata()["history"])
                tensors = {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError):
            return []
        model.load_state_dict(_below("model.", tensors))
        optimization.load(_below("optimizer.", tensors))
        return history

    def weights(self, prefix: str = "") -> dict[str, Tensor]:
        """The saved model's weights whose names begin with `prefix`, without it.

        Raises ClassifierError where the file has gone, or is damaged.
        """
        try:
            with safe_open(self.file, framework="pt") as saved:
                names = [n for n in saved.keys() if n.startswith(f"model.{prefix}")]  # noqa: SIM118
                return {n.removeprefix(f"model.{prefix}"): saved.get_tensor(n) for n in names}
        except (FileNotFoundError, SafetensorError) as error:
            raise ClassifierError(
                f"{self.file} was removed or damaged during the training."
            ) from error


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
