# What differs from node to node. ccm replaces the JMX_PORT line whole.
JMX_PORT="7199"

# MAX_HEAP_SIZE comes from the ring that starts the node; a fixed size keeps pauses even.
MAX_HEAP_SIZE=${MAX_HEAP_SIZE:-1024M}
JVM_OPTS="$JVM_OPTS -Xms$MAX_HEAP_SIZE -Xmx$MAX_HEAP_SIZE"
# Network buffers and compression live outside the heap; without a bound they could grow as large
# as the heap itself.
JVM_OPTS="$JVM_OPTS -XX:MaxDirectMemorySize=256M"
# JMX answers on 127.0.0.1 only, without a password: never open it to a network.
JVM_OPTS="$JVM_OPTS -Dcassandra.jmx.local.port=$JMX_PORT"
