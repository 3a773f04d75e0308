"""What training and evaluation measure: ``Progress`` of some steps, and the ``Evaluation`` of a split."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Progress:
    """Some consecutive steps of training, and where they ended."""

    step: int  # the last
    steps: int  # how many
    epoch: float  # passes over the training split by then
    loss: float  # the mean of theirs, as the recipe names it
    accuracy: float  # on their augmented images, 0–1
    seconds: float  # they took
    learning_rate: float  # that their last update left for the next

    def then(self, later):
        """This progress and the one that follows it, as one."""
        total = self.steps + later.steps

        def mean(name):
            return (getattr(self, name) * self.steps + getattr(later, name) * later.steps) / total

        return dataclasses.replace(
            later, steps=total, loss=mean("loss"), accuracy=mean("accuracy"), seconds=self.seconds + later.seconds
        )


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How a model does on a split."""

    images: int
    accuracy: float  # 0–1
    loss: float  # mean, as the recipe names it
    top5: float | None = None  # top-5 accuracy, 0–1; None for ten classes or fewer
