"""Every product in real time, lab and engine as programs of their own: run by `make variants`."""
