"""The console's pages of keys, for the admins of an organisation."""
