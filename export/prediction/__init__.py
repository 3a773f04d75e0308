"""What ``export.predict`` is made of."""
