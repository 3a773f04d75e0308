"""Optimizers and learning rates: what a recipe's numbers mean, step by step."""

import keras
import tensorflow as tf

from train.recipes import rate_steps

PLATEAU_DROPS = 3  # section 5 of Krizhevsky et al., 2012: "reduced three times prior to termination"


class MomentumSGD(keras.optimizers.SGD):
    """The update rule of section 5 of Krizhevsky et al., 2012, one fused operation a variable.

    ``v ← momentum · v - weight_decay · rate · w - rate · gradient``, then ``w ← w + v``: the decay goes through the
    momentum, which the ``weight_decay`` of Keras' own optimizers does not.

    Assumption: "w" are biases too, as the rule makes no difference.
    """

    def _apply_weight_decay(self, variables):
        """Nothing apart: the decay is part of the gradient."""

    def update_step(self, gradient, variable, learning_rate):
        if self.weight_decay:
            gradient = gradient + self.weight_decay * variable
        if not self.momentum:
            variable.assign_sub(tf.cast(learning_rate, variable.dtype) * gradient)
            return
        velocity = self.momentums[self._get_variable_index(variable)].value
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=velocity.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=tf.constant(self.momentum, variable.dtype),
        )


class AdamW(keras.optimizers.AdamW):
    """Keras' own (Loshchilov and Hutter, 2019), one fused operation a variable and another for its decay."""

    def update_step(self, gradient, variable, learning_rate):
        index, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.constant(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.constant(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


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
