"""Device models from the command line: `python -m export.tflite`, `python -m export.predict`."""
