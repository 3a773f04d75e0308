"""What a finished run leaves: history, plots, a report in Markdown."""
