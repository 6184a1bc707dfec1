"""The commands of `pilotbench`, one module each; spokes add theirs by entry points."""
