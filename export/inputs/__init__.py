"""What an export starts from: a network, its weights, and data to calibrate and verify with."""
