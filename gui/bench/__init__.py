"""The Bench screen: what is wired, whether it works, and moving it by hand."""
