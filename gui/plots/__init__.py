"""What the devices measured: live plots on one time axis, and a scope for fast signals."""
