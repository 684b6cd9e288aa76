"""Where nodes live: an inventory of hosts, and the ways to reach them behind one interface."""
