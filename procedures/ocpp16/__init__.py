"""Procedures of OCPP 1.6."""
