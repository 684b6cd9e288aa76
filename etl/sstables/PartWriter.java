package catalog.sstables;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.apache.cassandra.db.rows.Row;

/**
 * Writes a range of a table's buckets, in the order of their tokens, as one SSTable a target.
 */
final class PartWriter {
    private final Spec spec;
    private final Table table;
    private final Buckets buckets;
    private final Sketches sketches;
    private final int firstBucket;
    private final int endBucket;
    private final int number;
    private final Run[] runs;
    private final Report report;

    PartWriter(Spec spec, Buckets buckets, Sketches sketches, Report report, int part, int parts) {
        this.spec = spec;
        table = buckets.table;
        this.buckets = buckets;
        this.sketches = sketches;
        this.report = report;
        number = part + 1;
        firstBucket = Sketches.firstBucket(table, part, parts);
        endBucket = Sketches.firstBucket(table, part + 1, parts);
        runs = new Run[spec.targets.size()];
    }

    /** What the part weighs, for the order of the work. */
    long bytes() {
        return buckets.bytes(firstBucket, endBucket);
    }

    /** Writes all; `records` is the memory of the thread. */
    void write(Bytes records) throws IOException {
        Partitions partitions = new Partitions(table, table.timestampMicroseconds);
        SortedRows sorted = new SortedRows(table, records);
        for (int bucket = firstBucket; bucket < endBucket; bucket++) {
            long bytes = buckets.bytes(bucket, bucket + 1);
            long rows = buckets.rows(bucket, bucket + 1);
            if (rows > 0) {
                int bits = SortedRows.passBits(bytes, rows, spec.bucketBytes);
                for (int pass = 0; pass < 1 << bits; pass++) {
                    sorted.load(buckets.file(bucket), bits, pass);
                    append(sorted, partitions);
                }
                buckets.delete(bucket);
                report.rowsWritten.addAndGet(rows);
            }
        }
        for (Run run : runs) {
            if (run != null) {
                run.finish();
            }
        }
        report.count(table, partitions);
    }

    private void append(SortedRows sorted, Partitions partitions) throws IOException {
        for (int next = 0; next < sorted.rows();) {
            SortedRows.Row[] run = sorted.run(next);
            next += run.length;
            for (int from = 0; from < run.length;) {
                int to = Partitions.endOfPartition(run, from);
                List<Row> rows = partitions.rows(sorted.array(), run, from, to);
                for (int target : spec.targetsOf(run[from].token)) {
                    run(target).append(partitions.iterator(run[from], rows));
                }
                from = to;
            }
        }
    }

    private Run run(int target) throws IOException {
        if (runs[target] == null) {
            Path directory = spec.directory.resolve(spec.targets.get(target))
                    .resolve(table.keyspace).resolve(table.name);
            Files.createDirectories(directory);
            long expected = sketches.partitions(table, firstBucket, endBucket, target);
            runs[target] = new Run(table, directory, number, expected);
        }
        return runs[target];
    }
}
