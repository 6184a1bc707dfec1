"""Links: how bytes travel to a device; a link knows no device."""
