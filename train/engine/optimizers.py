"""Optimizers and learning rates: what a recipe's numbers mean, step by step."""

import keras

from keras_classics.optimizers import AdamW, MomentumSGD
from train.recipes import rate_steps

PLATEAU_DROPS = 3  # section 5 of Krizhevsky et al., 2012: "reduced three times prior to termination"


def optimizer_for(recipe, images):
    """The Keras optimizer of a ``recipes.Recipe`` for a training split of ``images``; its rate follows the schedule.

    Under the schedule "plateau" the rate is a variable, for the trainer to divide.
    """
    rate = _SCHEDULES[recipe.schedule](recipe, images)
    averages = {"use_ema": True, "ema_momentum": recipe.ema} if recipe.ema else {}
    if recipe.optimizer == "adamw":
        return AdamW(rate, weight_decay=recipe.weight_decay, **averages)
    return MomentumSGD(rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, **averages)


def plateau_drops(errors, patience):
    """How often a rate has been divided after validation errors ``errors``, one an epoch.

    It is, when ``patience`` epochs in a row bring no new least error; counting then begins anew.
    """
    drops, best, waited = 0, float("inf"), 0
    for error in errors:
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited == patience:
            drops, waited = drops + 1, 0
    return min(drops, PLATEAU_DROPS)


def _cosine(recipe, images):
    """Up linearly over the warm-up, then down to 0 along a half cosine."""
    total = recipe.steps_for(images)
    warmup = round(recipe.warmup * total)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / max(1, warmup) if warmup else recipe.learning_rate,
        decay_steps=max(1, total - warmup),
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def _steps(recipe, images):
    """Constant over so many epochs each; the last factor stays."""
    pairs = rate_steps(recipe.rate_steps)
    ends, epochs = [], 0
    for count, _ in pairs[:-1]:
        epochs += count
        ends.append(round(epochs * images / recipe.batch_size))
    rates = [recipe.learning_rate * factor for _, factor in pairs]
    return keras.optimizers.schedules.PiecewiseConstantDecay(ends, rates) if ends else rates[0]


def _plateau(recipe, images):
    return recipe.learning_rate


_SCHEDULES = {"cosine": _cosine, "steps": _steps, "plateau": _plateau}
