"""The Share screen: links by which vendors watch their own DUT."""
