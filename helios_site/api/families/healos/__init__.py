"""The Healos dialect, `/api/v1` and `/ext-api/v1`: `data` and `meta`, `error` and `details`, strict types, 201."""
