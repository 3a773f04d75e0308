"""From a Keras model to a device graph and its quantized forms."""
