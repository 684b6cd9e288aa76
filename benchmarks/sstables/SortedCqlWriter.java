package benchmarks.sstables;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import com.sun.management.OperatingSystemMXBean;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.io.sstable.CQLSSTableWriter;

/**
 * Cassandra's own offline writer on one thread, given rows that are in order already. Reading the
 * lines and sorting them is not measured: `SortedCqlWriter LINES DIRECTORY TABLE INSERT`.
 */
public final class SortedCqlWriter {
    private SortedCqlWriter() {
    }

    public static void main(String[] arguments) throws Exception {
        List<Object[]> rows = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(arguments[0]), StandardCharsets.UTF_8)) {
            String[] fields = line.split("\t");
            ByteBuffer body = ByteBuffer.wrap(fields[2].getBytes(StandardCharsets.UTF_8));
            rows.add(new Object[] {Long.valueOf(fields[1]), body});
        }
        rows.sort(Comparator.comparing(row -> Murmur3Partitioner.instance
                .getToken(ByteBuffer.allocate(8).putLong(0, (Long) row[0]))));
        OperatingSystemMXBean system =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = system.getProcessCpuTime();
        long begun = System.nanoTime();
        try (CQLSSTableWriter writer = CQLSSTableWriter.builder().inDirectory(arguments[1])
                .forTable(arguments[2]).using(arguments[3]).sorted().build()) {
            for (Object[] row : rows) {
                writer.addRow(row);
            }
        }
        System.out.printf("{\"seconds\": %f, \"cpu_seconds\": %f}%n",
                (System.nanoTime() - begun) / 1e9, (system.getProcessCpuTime() - cpu) / 1e9);
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
