"""Models for devices from the command line: `python -m export.tflite`, `export.verify`, `export.predict` and others."""
