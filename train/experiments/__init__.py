"""What ``train.claims`` is made of: the networks of its arms, their training, measures, verdicts and pictures."""
