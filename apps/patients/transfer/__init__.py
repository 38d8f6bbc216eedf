"""An organisation's records as lines of JSON, out and in: `/ext-api/v1/export` and `/ext-api/v1/import`."""
