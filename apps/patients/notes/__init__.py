"""Clinical notes and the sessions that they were taken in, which the API only reads."""
