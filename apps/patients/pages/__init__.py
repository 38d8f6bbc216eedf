"""The pages of patients for signed-in members."""
