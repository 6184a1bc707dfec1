"""A campaign: everything that is done to certify one DUT, over days, in one folder.

To people it is the certification session; `Session` is the opened bench.
"""
