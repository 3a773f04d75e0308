"""Training from the command line: `python -m train.lenet`, `python -m train.alexnet`."""
