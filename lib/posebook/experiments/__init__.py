"""What the chapters compare: variants, their training and prediction, and the rows of the result tables."""
