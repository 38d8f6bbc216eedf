"""`/ext-api/v1/audit-events`: an organisation reads its own audit trail, and takes it away."""
