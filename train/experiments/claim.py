"""A claim as a row of data: arms, what is compared, and how long the quick form is."""

import dataclasses

from train.experiments.arm import Arm

_QUICK_TOTAL = 100_000  # images that ``--quick`` trains on in all, where a recipe repeats small datasets


@dataclasses.dataclass(frozen=True)
class Comparison:
    """That ``arm`` is better than ``than``: what is measured is less.

    Args:
        arm, than: names of arms.
        size: by how much, as the source has it: percentage points of error, or of epochs the factor; None: not said.
    """

    arm: str
    than: str
    size: float | None = None


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence that can be tested.

    Args:
        sentence, source: what is claimed, and where.
        arms: name → ``Arm``; they differ in one field, or each in one from the arm before it.
        comparisons: ``Comparison``s that the claim stands for.
        measure: a name in ``page.MEASURES``.
        notes: what is assumed, and how the arms depart from the source.
        seeds: how many, at least.
        quick_epochs, quick_images: of ``--quick``; images None: as many as without.
        picture: a name in ``pictures.PICTURES``.
    """

    sentence: str
    source: str
    arms: dict[str, Arm]
    comparisons: tuple[Comparison, ...]
    measure: str = "test error"
    notes: str = ""
    seeds: int = 3
    quick_epochs: int = 12
    quick_images: int | None = 15_000
    picture: str = "dots"

    def arms_for(self, quick):
        """The arms, shortened where ``quick``."""
        return {name: self._quick(arm) for name, arm in self.arms.items()} if quick else self.arms

    def _quick(self, arm):
        least = min(arm.recipe.min_images, _QUICK_TOTAL)
        recipe = dataclasses.replace(arm.recipe, epochs=self.quick_epochs, min_images=least)
        return dataclasses.replace(arm, recipe=recipe, images=self.quick_images or arm.images)


def marks(name):
    """The marks between which the section of the claim ``name`` stands in the page."""
    return f"<!-- claim {name}: written by python -m train.claims -->", f"<!-- end of claim {name} -->"
