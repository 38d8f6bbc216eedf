"""The Helios dialect, `/v1`: FastAPI's errors, Pydantic 1's coercions, camelCase, 200 for every success."""
