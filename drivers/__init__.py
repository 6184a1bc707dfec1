"""Drivers: one plain class per device, over a link that only knows how bytes travel."""
