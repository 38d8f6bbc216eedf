"""What Helios keeps, as FHIR resources. Only elements that R4 and R4B have in the same form are written."""
