"""The virtual charging station: the demo DUT, the peer of a CSMS under test, a fleet."""
