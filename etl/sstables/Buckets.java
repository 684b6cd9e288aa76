package catalog.sstables;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLongArray;

/** The rows of one table on disk, one file for each range of tokens, in no order within. */
final class Buckets {
    final Table table;
    private final Path directory;
    private final FileChannel[] channels;
    private final AtomicLongArray bytes;
    private final AtomicLongArray rows;

    Buckets(Table table, Path directory) throws IOException {
        this.table = table;
        this.directory = directory;
        Files.createDirectories(directory);
        channels = new FileChannel[table.buckets()];
        bytes = new AtomicLongArray(channels.length);
        rows = new AtomicLongArray(channels.length);
    }

    /** Appends records to one bucket; safe from several threads. */
    void append(int bucket, ByteBuffer records, int rowCount) throws IOException {
        bytes.addAndGet(bucket, records.remaining());
        rows.addAndGet(bucket, rowCount);
        FileChannel channel = channel(bucket);
        synchronized (channel) {
            while (records.hasRemaining()) {
                channel.write(records);
            }
        }
    }

    /** No more is appended. */
    void close() throws IOException {
        for (FileChannel channel : channels) {
            if (channel != null) {
                channel.close();
            }
        }
    }

    Path file(int bucket) {
        return directory.resolve(table.keyspace + "-" + table.name + "-" + bucket);
    }

    void delete(int bucket) throws IOException {
        Files.deleteIfExists(file(bucket));
    }

    long bytes(int fromBucket, int toBucket) {
        return sum(bytes, fromBucket, toBucket);
    }

    long rows(int fromBucket, int toBucket) {
        return sum(rows, fromBucket, toBucket);
    }

    private synchronized FileChannel channel(int bucket) throws IOException {
        if (channels[bucket] == null) {
            channels[bucket] = FileChannel.open(file(bucket), StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.WRITE);
        }
        return channels[bucket];
    }

    private static long sum(AtomicLongArray counts, int from, int to) {
        long total = 0;
        for (int bucket = from; bucket < to; bucket++) {
            total += counts.get(bucket);
        }
        return total;
    }
}
