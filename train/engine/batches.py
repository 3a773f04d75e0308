"""What a recipe makes of a dataset: batches to train and to evaluate on, as ``pipeline`` reads them."""

import tensorflow as tf

from keras_classics.datasets import pipeline, statistics
from keras_classics.datasets.augment import AUGMENTATIONS, mirrored_crops, shift_colours
from keras_classics.errors import InputError

_EVALUATION_PIXELS = 4_000_000  # a batch and replica, over all crops; and 500 images at most


class Batches:
    """Batches of one dataset for one network.

    Args:
        dataset: a ``datasets.Dataset``.
        recipe: a ``recipes.Recipe``.
        preprocessing: the network's ``Preprocessing``, applied after augmentation.
        size: side of the network's input in pixels.
        unreadable: an ``Unreadable`` that counts replaced training pictures; None tolerates none.

    Raises:
        InputError: the recipe's distortion does not go with its augmentation.
    """

    def __init__(self, dataset, recipe, *, preprocessing, size, unreadable=None):
        self.dataset, self.recipe, self.unreadable = dataset, recipe, unreadable
        self.augmentation, self.preprocessing, self.size = AUGMENTATIONS[recipe.augmentation], preprocessing, size
        self.load_size = self.augmentation.load_size(size)
        if recipe.distortion != 1 and self.augmentation.cuts:  # where windows are cut, files are decoded there only
            text = f"distortion is {recipe.distortion:g}; with the augmentation {recipe.augmentation} it can only be 1."
            raise InputError(text)

    @property
    def draws(self):
        """How many uniform numbers a training picture takes."""
        return self.augmentation.draws + (3 if self.recipe.colour_noise else 0)

    def varied(self):
        """``(images, draws) -> images``: pictures as they are loaded become what the network is trained on."""
        return self._compiled(self.preprocessed)

    def varied_pixels(self):
        """The same, but pixels 0–255."""
        return self._compiled(lambda images: images)

    def _compiled(self, finish):
        own, strength, distortion = self.augmentation.draws, self.recipe.colour_noise, self.recipe.distortion
        components = self.statistics().components if strength else None

        # Compiled, these are one pass over the pixels, several times as fast.
        @tf.function(jit_compile=True, autograph=False)
        def finished(images, draws):
            drawn = draws[:, :own]
            if distortion != 1:  # so much of the way from the middle of what may be drawn, where nothing is distorted
                drawn = 0.5 + (drawn - 0.5) * distortion
            images = self.augmentation.apply(images, drawn, self.size)
            if strength:
                images = shift_colours(images, draws[:, own:], components, strength)
            return finish(images)

        return lambda images, draws: finished(self._loaded(images), draws)

    def training(self, *, replicas=1, mine=None, first_step=0, asked=None):
        """Endless batches from step ``first_step`` on, as ``pipeline.training_batches`` returns them."""
        return pipeline.training_batches(
            self.dataset.train,
            batch=self.recipe.batch_size,
            replicas=replicas,
            mine=mine,
            seed=self.recipe.seed,
            first_step=first_step,
            prepare=self.varied() if asked is None else self.preprocessed,
            draws=self.draws,
            asked=asked,
            size=self.load_size,
            crop=self.size if self.augmentation.cuts else None,
            unreadable=self.unreadable,
        )

    def evaluation(self, split, *, replicas=1, crops=1):
        """A split in order, as ``pipeline.evaluation_batches`` returns it; of 1, 2 or 10 ``crops`` each."""

        def prepare(images):
            images = self._loaded(images)
            return self.preprocessed(mirrored_crops(images, self.size, crops)) if crops > 1 else self._middle(images)

        batch = min(500, max(1, _EVALUATION_PIXELS // (crops * self.size**2))) * replicas
        return pipeline.evaluation_batches(split, batch=batch, prepare=prepare, size=self.load_size)

    def mean_picture(self):
        """The mean of the training pictures as the network takes it, prepared like a picture to evaluate on."""
        return self._middle(self._loaded(self.statistics().mean_image[None]))[0].numpy()

    def statistics(self):
        """``statistics.Statistics`` of the training pictures."""
        return statistics.statistics(self.dataset.train, self.load_size, unreadable=self.unreadable)

    def _loaded(self, images):
        """Pictures in memory brought to the size that files are loaded at."""
        train, size = self.dataset.train, (self.load_size, self.load_size)
        as_they_are = not train.in_memory or train.images.shape[1:3] == size
        return images if as_they_are else tf.image.resize(images, size)

    def _middle(self, images):
        return self.preprocessed(self.augmentation.evaluate(images, self.size))

    def preprocessed(self, images):
        """Pixels 0–255 as the network takes them."""
        return self.preprocessing(tf.cast(images, tf.float32), data_format="channels_last")
