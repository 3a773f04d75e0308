"""Side by side with other libraries: the same computation in each, one command a question."""
