"""Digit models on microcontrollers: from a ``.tflite`` to C, and how that C answers on a host and on a Cortex-M."""
