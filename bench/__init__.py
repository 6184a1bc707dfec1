"""The hub: procedures' machinery, events, journal, verdicts, OCPP engine and reports."""

__version__ = "0.1.0"
