"""The training engine: steps, batches, checkpoints, devices."""
