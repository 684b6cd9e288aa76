"""The lifecycle of Cassandra nodes on this machine, and the local stack around them."""
