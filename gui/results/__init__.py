"""The Results screen: all runs of this lab, verified, compared and replayed."""
