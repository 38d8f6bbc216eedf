"""The pages of runs for signed-in members: the list, a run's results, their downloads and the model's card."""
