"""What the devices measured: live plots on one time axis, and a scope for fast signals."""

import pyqtgraph

# Every move of the mouse counts, lines are one sharp pixel wide, and the app closes itself.
pyqtgraph.setConfigOptions(antialias=False, exitCleanup=False, mouseRateLimit=-1)
