package catalog.sstables;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Does what `nodetool import` does, for many tables and nodes in one JVM: `Importer REQUEST.json`.
 * <pre>
 * {"nodes": [{"host_id": "…", "port": 7199, "imports": [{"keyspace": "k", "table": "t",
 *   "directory": "/…", "copy": false}]}]}
 * </pre>
 * Says for each import a line: imported, or failed with the reason. Always ends with 0.
 */
public final class Importer {
    private static final String URL = "service:jmx:rmi:///jndi/rmi://127.0.0.1:%d/jmxrmi";
    private static final String[] SIGNATURE = signature();

    private Importer() {
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode request = new ObjectMapper().readTree(Files.readAllBytes(Path.of(arguments[0])));
        List<Thread> threads = new ArrayList<>();
        for (JsonNode node : request.path("nodes")) {
            Thread thread = new Thread(() -> importInto(node));
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        Runtime.getRuntime().halt(0);
    }

    private static void importInto(JsonNode node) {
        JsonNode imports = node.path("imports");
        int done = 0;
        try (JMXConnector connector = JMXConnectorFactory.connect(
                new JMXServiceURL(String.format(URL, node.path("port").asInt())))) {
            MBeanServerConnection server = connector.getMBeanServerConnection();
            check(server, node.path("host_id").asText());
            for (; done < imports.size(); done++) {
                say(node, imports.get(done), importOne(server, imports.get(done)));
            }
        } catch (Exception error) {
            for (; done < imports.size(); done++) {
                say(node, imports.get(done), String.valueOf(error));
            }
        }
    }

    /** Another ring may answer on a port that was this node's. */
    private static void check(MBeanServerConnection server, String hostId) throws Exception {
        ObjectName service = new ObjectName("org.apache.cassandra.db:type=StorageService");
        Object found = server.getAttribute(service, "LocalHostId");
        if (!hostId.equals(found)) {
            throw new IllegalStateException("this is node " + found);
        }
    }

    /** Returns what went wrong; empty when nothing did. */
    private static String importOne(MBeanServerConnection server, JsonNode one) {
        try {
            ObjectName table = new ObjectName("org.apache.cassandra.db:type=Tables,keyspace="
                    + one.path("keyspace").asText() + ",table=" + one.path("table").asText());
            String directory = one.path("directory").asText();
            // Levels and repair marks are new as it is; we wrote the files a moment ago, for these
            // very tokens; nothing is cached of them; no index belongs to them.
            Object[] values = {Set.of(directory), false, false, false, false, false, false,
                one.path("copy").asBoolean(), false, false};
            Object failed = server.invoke(table, "importNewSSTables", values, SIGNATURE);
            return failed instanceof List && ((List<?>) failed).isEmpty() ? ""
                    : "the node could not take " + failed + ", see its log";
        } catch (Exception error) {
            return String.valueOf(error);
        }
    }

    private static void say(JsonNode node, JsonNode one, String problem) {
        Map<String, String> facts = new HashMap<>();
        facts.put("host_id", node.path("host_id").asText());
        facts.put("keyspace", one.path("keyspace").asText());
        facts.put("table", one.path("table").asText());
        facts.put("directory", one.path("directory").asText());
        facts.put("problem", problem);
        Report.say(problem.isEmpty() ? "imported" : "failed", facts);
    }

    /**
     * Directories; then reset levels, clear repair marks, verify, verify tokens, invalidate caches,
     * verify thoroughly, copy, fail without index, validate indexes.
     */
    private static String[] signature() {
        String[] types = new String[10];
        java.util.Arrays.fill(types, boolean.class.getName());
        types[0] = Set.class.getName();
        return types;
    }
}
