"""What the shop may do with what is stored: rules that need more than one read or write."""
