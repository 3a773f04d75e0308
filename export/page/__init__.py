"""The page to draw on: one HTML file with the network, its script and its style inside."""
