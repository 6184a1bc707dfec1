"""The DUT screen: what the product claims, what its sample needs, how it is configured."""
