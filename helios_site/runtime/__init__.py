"""The embedded default: PostgreSQL and Valkey from wheels, and every process under one supervisor."""
