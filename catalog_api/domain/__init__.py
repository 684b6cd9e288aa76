"""What requests mean, without any I/O: ids, pages and the profiles of value types."""
