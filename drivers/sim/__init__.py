"""The simulated lab: a world, the device's end of every wire, and a virtual station in it."""
