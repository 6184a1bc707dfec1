"""The OCPP engine: frames, schemas, matching, and the side of the dialogue that the bench plays."""
