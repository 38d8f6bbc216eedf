"""The console's pages of webhooks, for the admins of an organisation."""
