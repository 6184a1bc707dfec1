"""The desktop app: a client of the engine, in PyQt6 and pyqtgraph."""
