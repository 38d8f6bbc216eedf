"""Appointments of patients: one row each, also where a rule repeats it."""
