"""Images held out for validation: a fold of the data set, early stopping, and the weights of the best epoch."""

from dataclasses import dataclass
from typing import Annotated

from kgen.core.options import NOT_SEARCHED
from kgen.core.recipe import Recipe
from kgen.data import Images
from kgen.data.splits import split, without


@dataclass(frozen=True, kw_only=True)
class HeldOutRecipe(Recipe):
    """Flags of every recipe that is validated after each epoch and exports the weights of its best one."""

    folds: Annotated[int, NOT_SEARCHED] = 5  # Parts of the images; one is held out for validation. 0 holds out none.
    fold: Annotated[int, NOT_SEARCHED] = 0  # Which part is held out, from 0. Folds of the same --seed share no image.
    patience: int = 0  # Training stops after so many epochs without a smaller validation loss; 0 is never.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.folds == 0 or self.folds >= 2, "folds", "0, or 2 or more")
        self.demand(0 <= self.fold < max(self.folds, 1), "fold", f"from 0 to {max(self.folds - 1, 0)}")
        self.demand(self.patience >= 0, "patience", "0 or more")
        self.demand(not self.patience or self.folds, "patience", "0 when no images are held out (--folds 0)")

    @property
    def holds_out(self) -> bool:
        """Whether images are held out."""
        return self.folds > 0

    def divide(self, data: Images) -> tuple[Images, Images | None]:
        """Returns the images of the other folds, and those of this fold."""
        if not self.folds:
            return super().divide(data)
        return without(data, split(len(data.images), self.folds, self.seed), self.fold)
