"""What went over the wire: message list, one message in detail, sequence chart."""
