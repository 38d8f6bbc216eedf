"""The pages that join a patient with its runs."""
