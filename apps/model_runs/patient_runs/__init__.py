"""What joins a patient with the runs that are linked to it."""
