"""The FHIR R4 dialect: `/fhir`."""
