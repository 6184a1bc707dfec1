"""Files that go to the DUT and come from it: real FTP and HTTP servers, each transfer recorded."""
