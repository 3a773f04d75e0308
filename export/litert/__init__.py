"""TFLite files: running them, reading and editing them, and what devices know."""
