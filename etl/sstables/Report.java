package catalog.sstables;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** What the program says of its work: a JSON object a line on standard output, and the manifest. */
final class Report {
    private static final String MANIFEST = "manifest.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    final AtomicLong rowsWritten = new AtomicLong();
    private final Spec spec;
    private final Inputs inputs;
    private final List<Buckets> buckets;
    private final long[][] counts;

    Report(Spec spec, Inputs inputs, List<Buckets> buckets) {
        this.spec = spec;
        this.inputs = inputs;
        this.buckets = buckets;
        counts = new long[buckets.size()][3];
    }

    static synchronized void say(String event, Map<String, ?> facts) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", event);
        line.putAll(facts);
        try {
            System.out.println(JSON.writeValueAsString(line));
            System.out.flush();
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    void progress() {
        long rowsIn = 0;
        for (Buckets one : buckets) {
            rowsIn += one.rows(0, one.table.buckets());
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("rows_in", rowsIn);
        facts.put("bytes_in", inputs.bytes.get());
        facts.put("rows_written", rowsWritten.get());
        say("progress", facts);
    }

    /** Adds what one part of a table held. */
    synchronized void count(Table table, Partitions partitions) {
        counts[table.index][0] += partitions.rows;
        counts[table.index][1] += partitions.partitions;
        counts[table.index][2] += partitions.duplicates;
    }

    /** Writes the manifest, the last file of all: a folder that holds one is whole. */
    Map<String, Object> finish(double readingSeconds, double writingSeconds) throws IOException {
        Map<String, Object> manifest = new LinkedHashMap<>();
        manifest.put("bytes_in", inputs.bytes.get());
        manifest.put("reading_seconds", readingSeconds);
        manifest.put("writing_seconds", writingSeconds);
        List<Object> tables = new ArrayList<>();
        for (Buckets one : buckets) {
            tables.add(describe(one));
        }
        manifest.put("tables", tables);
        Path partial = spec.directory.resolve("." + MANIFEST + ".partial");
        Files.write(partial, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(manifest));
        sync(partial);
        Files.move(partial, spec.directory.resolve(MANIFEST), StandardCopyOption.ATOMIC_MOVE);
        sync(spec.directory);
        return manifest;
    }

    private Map<String, Object> describe(Buckets one) throws IOException {
        Table table = one.table;
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("keyspace", table.keyspace);
        facts.put("table", table.name);
        facts.put("rows_in", one.rows(0, table.buckets()));
        facts.put("rows", counts[table.index][0]);
        facts.put("partitions", counts[table.index][1]);
        facts.put("duplicates", counts[table.index][2]);
        Map<String, Object> targets = new LinkedHashMap<>();
        for (String target : spec.targets) {
            Path directory = spec.directory.resolve(target).resolve(table.keyspace)
                    .resolve(table.name);
            if (Files.exists(directory)) {
                sync(directory);
                targets.put(target, sizes(directory));
            }
        }
        facts.put("files", targets);
        return facts;
    }

    private static Map<String, Long> sizes(Path directory) throws IOException {
        Map<String, Long> sizes = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                sizes.put(file.getFileName().toString(), Files.size(file));
            }
        }
        return sizes;
    }

    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
