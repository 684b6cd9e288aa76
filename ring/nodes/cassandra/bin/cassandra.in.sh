# Where this Cassandra lives and what every JVM of it needs. Read by bin/cassandra and bin/nodetool.
# ccm replaces the next two lines whole in each node's copy, so each keeps a line of its own.
CASSANDRA_HOME=${CASSANDRA_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
CASSANDRA_CONF=${CASSANDRA_CONF:-$CASSANDRA_HOME/conf}

# File names may hold any letter, whatever the caller's locale is.
LC_ALL=C.UTF-8
export LC_ALL

if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
    JAVA=$JAVA_HOME/bin/java
else
    JAVA=$(command -v java) || { echo "No Java found: set JAVA_HOME or put java on PATH." >&2; exit 1; }
fi

# The classes that Java 17 must open to Cassandra, one flag per line with no blanks inside.
java_module_flags() {
    grep '^-' "$CASSANDRA_CONF/jvm17-modules.options"
    for jamm in "$CASSANDRA_HOME"/lib/jamm-*.jar; do
        [ -f "$jamm" ] && printf '%s\n' "-javaagent:$jamm"
    done
}
