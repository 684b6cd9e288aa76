package catalog.sstables;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

import org.apache.cassandra.db.Clustering;
import org.apache.cassandra.utils.ByteBufferUtil;

/**
 * The records of one bucket in memory, in the order of an SSTable. Where a bucket is larger than it
 * may be, its file is read several times, each time for a narrower range of tokens.
 */
final class SortedRows {
    private static final int ROW_BITS = 24;
    private static final long ROW_MASK = (1L << ROW_BITS) - 1;

    /** One record. */
    static final class Row {
        final int start;
        final long token;
        final long place;
        final ByteBuffer key;
        final Clustering<?> clustering;

        private Row(Table table, byte[] array, int start, Cells cells) {
            this.start = start;
            token = Bytes.getLong(array, start + Cells.TOKEN_AT);
            place = Bytes.getLong(array, start + Cells.PLACE_AT);
            cells.at(array, start + Cells.CELLS_AT);
            key = table.keyOf(cells);
            clustering = table.clusteringOf(cells);
        }
    }

    private final Table table;
    private final Cells cells;
    private final Bytes records;
    private final byte[] header = new byte[Cells.PLACE_AT];
    private int[] starts = new int[1 << 12];
    /** The first 40 bits of each token below those of the bucket, then the number of the record. */
    private long[] order = new long[0];
    private int rows;

    SortedRows(Table table, Bytes records) {
        this.table = table;
        this.records = records;
        cells = new Cells(table.columns.length);
    }

    int rows() {
        return rows;
    }

    byte[] array() {
        return records.array;
    }

    /** How many times a bucket's file must be read, for each to fit. */
    static int passBits(long bucketBytes, long bucketRows, int bytesLimit) {
        int bits = 0;
        while (bits < 16 && (bucketBytes >> bits > bytesLimit || bucketRows >> bits > ROW_MASK / 2)) {
            bits++;
        }
        return bits;
    }

    /** Loads pass `pass` of 2^passBits of one bucket, sorted. */
    void load(Path file, int passBits, int pass) throws IOException {
        records.length = 0;
        rows = 0;
        try (Source stream = new Source(file)) {
            if (passBits == 0) {
                readAll(stream, Math.toIntExact(Files.size(file)));
            } else {
                readPass(stream, passBits, pass);
            }
        }
        sort(table.bucketBits + passBits);
    }

    /** The rows from `from` on that may share a partition, in order; the next begins after them. */
    Row[] run(int from) {
        int to = from + 1;
        while (to < rows && order[to] >> ROW_BITS == order[from] >> ROW_BITS) {
            to++;
        }
        Row[] run = new Row[to - from];
        for (int index = from; index < to; index++) {
            int start = starts[(int) (order[index] & ROW_MASK)];
            run[index - from] = new Row(table, records.array, start, cells);
        }
        if (run.length > 1) {
            Arrays.sort(run, this::compare);
        }
        return run;
    }

    private int compare(Row one, Row other) {
        int result = Long.compare(one.token, other.token);
        if (result == 0) {
            result = ByteBufferUtil.compareUnsigned(one.key, other.key);
        }
        if (result == 0 && table.clustering.length > 0) {
            result = compare(one.clustering, other.clustering);
        }
        return result == 0 ? Long.compare(one.place, other.place) : result;
    }

    private int compare(Clustering<?> one, Clustering<?> other) {
        boolean oneStatic = one == Clustering.STATIC_CLUSTERING;
        boolean otherStatic = other == Clustering.STATIC_CLUSTERING;
        if (oneStatic || otherStatic) {
            return Boolean.compare(otherStatic, oneStatic);
        }
        return table.metadata.get().comparator.compare(one, other);
    }

    private void readAll(Source stream, int size) throws IOException {
        if (records.array.length < size) {
            // Let go first: two buckets need not be in memory.
            records.array = new byte[0];
            records.array = new byte[size];
        }
        if (!stream.readFully(records.array, 0, size)) {
            throw new EOFException("a bucket is shorter than it was");
        }
        records.length = size;
        for (int at = 0; at < size;) {
            remember(at);
            at += Cells.LENGTH_BYTES + Bytes.getInt(records.array, at);
        }
    }

    private void readPass(Source stream, int passBits, int pass) throws IOException {
        while (stream.readFully(header, 0, header.length)) {
            int rest = Bytes.getInt(header, 0) + Cells.LENGTH_BYTES - header.length;
            int start = records.length;
            records.put(header, 0, header.length);
            records.reserve(rest);
            if (!stream.readFully(records.array, records.length, rest)) {
                throw new EOFException("a bucket is shorter than it was");
            }
            long token = Bytes.getLong(header, Cells.TOKEN_AT) ^ Long.MIN_VALUE;
            if (token << table.bucketBits >>> (Long.SIZE - passBits) == pass) {
                records.length += rest;
                remember(start);
            } else {
                records.length = start;
            }
        }
    }

    private void remember(int start) {
        if (rows > ROW_MASK) {
            throw new Failure(Failure.INTERNAL, "more than 16 million rows of " + table
                    + " have tokens too near each other: a partition is too large");
        }
        if (rows == starts.length) {
            starts = Arrays.copyOf(starts, rows * 2);
        }
        starts[rows++] = start;
    }

    private void sort(int bitsInCommon) {
        if (order.length < rows) {
            order = new long[starts.length];
        }
        for (int row = 0; row < rows; row++) {
            long token = Bytes.getLong(records.array, starts[row] + Cells.TOKEN_AT);
            long below = (token ^ Long.MIN_VALUE) << bitsInCommon ^ Long.MIN_VALUE;
            order[row] = below & ~ROW_MASK | row;
        }
        Arrays.sort(order, 0, rows);
    }
}
