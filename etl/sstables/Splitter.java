package catalog.sstables;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * One thread that turns lines into records and appends them to the buckets of their tokens.
 *
 * <p>A line is the table's tag, then the fields in the order of its columns, each after a tab. An
 * empty field is null. What stands between two bytes 2 is a text as it is, even an empty one: so
 * DuckDB writes those that it quotes. A line break, or byte 2 itself, is refused anywhere.
 */
final class Splitter {
    private static final byte QUOTE = 2;
    private static final int SHOWN_BYTES = 120;
    private static final int LONGEST_KEY_BYTES = 65_535;

    private final Spec spec;
    private final Table[] byTag = new Table[128];
    private final Cells[] cells;
    private final Buckets[] buckets;
    private final Sketches sketches;
    private final int[] firstBucket;
    private final Bytes records = new Bytes(5 << 20);
    private int[] starts = new int[1 << 14];
    private int[] bucketOfRow = new int[1 << 14];
    private int rows;
    private ByteBuffer gathered = ByteBuffer.allocateDirect(1 << 16);

    Splitter(Spec spec, List<Buckets> buckets, Sketches sketches) {
        this.spec = spec;
        this.buckets = buckets.toArray(new Buckets[0]);
        this.sketches = sketches;
        cells = new Cells[this.buckets.length];
        firstBucket = new int[this.buckets.length + 1];
        for (Table table : spec.tables) {
            byTag[table.tag] = table;
            cells[table.index] = new Cells(table.columns.length);
            firstBucket[table.index + 1] = firstBucket[table.index] + table.buckets();
        }
    }

    /** Reads all lines of a chunk; afterwards they are in their buckets. */
    void split(Chunk chunk) throws IOException {
        records.length = 0;
        rows = 0;
        for (int at = 0; at < chunk.length;) {
            if (rows == starts.length) {
                starts = Arrays.copyOf(starts, rows * 2);
                bucketOfRow = Arrays.copyOf(bucketOfRow, rows * 2);
            }
            at = readLine(chunk, at);
            rows++;
        }
        append();
    }

    private int readLine(Chunk chunk, int at) {
        byte[] in = chunk.array;
        Table table = in[at] > 0 ? byTag[in[at]] : null;
        if (table == null || at + 1 >= chunk.length || in[at + 1] != '\t') {
            throw bad(chunk, at, "begins with the tag of no table");
        }
        int start = records.length;
        records.reserve(Cells.CELLS_AT);
        records.length += Cells.CELLS_AT;
        int next = at + 2;
        int last = table.columns.length - 1;
        for (int column = 0; column <= last; column++) {
            int end = readField(chunk, at, next, table, column);
            if (in[end] != (column == last ? '\n' : '\t')) {
                throw bad(chunk, at, table + " has " + (last + 1) + " columns, the line "
                        + (in[end] == '\t' ? "more" : "fewer"));
            }
            next = end + 1;
        }
        if (next - at > spec.rowBytesLimit) {
            throw bad(chunk, at, "a row of " + (next - at) + " bytes, more than "
                    + spec.rowBytesLimit);
        }
        finish(chunk, at, table, start);
        return next;
    }

    /** Appends one cell; returns where the field ends. */
    private int readField(Chunk chunk, int line, int from, Table table, int column) {
        byte[] in = chunk.array;
        if (in[from] == QUOTE) {
            int to = endOfQuoted(chunk, line, from + 1, table, column);
            encode(chunk, line, from + 1, to, table, column);
            return to + 1;
        }
        int end = Bytes.findControl(in, from, chunk.length);
        while (in[end] != '\t' && in[end] != '\n' && in[end] != QUOTE) {
            end = Bytes.findControl(in, end + 1, chunk.length);
        }
        if (in[end] == QUOTE) {
            throw bad(chunk, line, table + "." + table.columns[column].name + " holds byte 2");
        }
        if (end == from) {
            records.putInt(Cells.NULL);
        } else {
            encode(chunk, line, from, end, table, column);
        }
        return end;
    }

    private int endOfQuoted(Chunk chunk, int line, int from, Table table, int column) {
        byte[] in = chunk.array;
        int end = Bytes.findControl(in, from, chunk.length);
        while (in[end] != QUOTE && in[end] != '\n') {
            end = Bytes.findControl(in, end + 1, chunk.length);
        }
        // Chunks end in a line feed, so there is a byte after each quote.
        if (in[end] == '\n' || in[end + 1] != '\t' && in[end + 1] != '\n') {
            throw bad(chunk, line, table + "." + table.columns[column].name
                    + " holds a line break or byte 2");
        }
        return end;
    }

    private void encode(Chunk chunk, int line, int from, int to, Table table, int column) {
        int lengthAt = records.length;
        records.putInt(0);
        try {
            table.kinds[column].encode(chunk.array, from, to, records);
        } catch (IllegalArgumentException error) {
            throw bad(chunk, line, table + "." + table.columns[column].name + " is "
                    + table.kinds[column].cqlType() + ": " + error.getMessage());
        }
        Bytes.setInt(records.array, lengthAt, records.length - lengthAt - Integer.BYTES);
    }

    /** Completes the record of a row: its token and its place in the input. */
    private void finish(Chunk chunk, int line, Table table, int start) {
        Cells row = cells[table.index].at(records.array, start + Cells.CELLS_AT);
        checkKey(chunk, line, table, row);
        ByteBuffer key = table.keyOf(row);
        if (!key.hasRemaining() || key.remaining() > LONGEST_KEY_BYTES) {
            throw bad(chunk, line, table + ": a partition key of " + key.remaining() + " bytes");
        }
        long token = Table.tokenOf(key);
        byte[] array = records.array;
        Bytes.setInt(array, start, records.length - start - Cells.LENGTH_BYTES);
        Bytes.setLong(array, start + Cells.TOKEN_AT, token);
        Bytes.setLong(array, start + Cells.PLACE_AT, chunk.placeOf(rows));
        int bucket = table.bucketOf(token);
        sketches.add(table, bucket, token);
        starts[rows] = start;
        bucketOfRow[rows] = firstBucket[table.index] + bucket;
    }

    private void checkKey(Chunk chunk, int line, Table table, Cells row) {
        for (int column : table.partitionKey) {
            if (row.isNull(column)) {
                throw bad(chunk, line, table + "." + table.columns[column].name + " is null");
            }
        }
        int nulls = 0;
        for (int column : table.clustering) {
            nulls += row.isNull(column) ? 1 : 0;
        }
        if (nulls > 0 && (nulls < table.clustering.length || !table.hasStatic)) {
            throw bad(chunk, line, table + ": a part of the clustering key is null");
        }
        boolean isStatic = nulls > 0;
        for (int column = 0; column < table.columns.length; column++) {
            boolean ofPartition = table.columns[column].isStatic();
            boolean ofRow = table.columns[column].isRegular();
            if (!row.isNull(column) && (isStatic ? ofRow : ofPartition)) {
                throw bad(chunk, line, table + "." + table.columns[column].name
                        + (isStatic ? " is given without" : " is static, yet given with")
                        + " a clustering key");
            }
        }
    }

    /** Sorts the records by bucket (by counting) and appends each bucket's at once. */
    private void append() throws IOException {
        int all = firstBucket[buckets.length];
        int[] ends = new int[all + 1];
        for (int row = 0; row < rows; row++) {
            ends[bucketOfRow[row] + 1]++;
        }
        for (int bucket = 0; bucket < all; bucket++) {
            ends[bucket + 1] += ends[bucket];
        }
        int[] order = new int[rows];
        int[] next = Arrays.copyOf(ends, all);
        for (int row = 0; row < rows; row++) {
            order[next[bucketOfRow[row]]++] = starts[row];
        }
        for (int table = 0; table < buckets.length; table++) {
            for (int bucket = firstBucket[table]; bucket < firstBucket[table + 1]; bucket++) {
                if (ends[bucket] < ends[bucket + 1]) {
                    gather(order, ends[bucket], ends[bucket + 1]);
                    int rowCount = ends[bucket + 1] - ends[bucket];
                    buckets[table].append(bucket - firstBucket[table], gathered, rowCount);
                }
            }
        }
    }

    private void gather(int[] order, int from, int to) {
        gathered.clear();
        for (int index = from; index < to; index++) {
            int length = Bytes.getInt(records.array, order[index]) + Cells.LENGTH_BYTES;
            if (gathered.remaining() < length) {
                int wanted = Math.addExact(gathered.position(), length);
                ByteBuffer larger = ByteBuffer.allocateDirect(Math.max(wanted, wanted / 2 * 3));
                gathered = larger.put(gathered.flip());
            }
            gathered.put(records.array, order[index], length);
        }
        gathered.flip();
    }

    private static Failure bad(Chunk chunk, int line, String what) {
        int end = line;
        while (end < chunk.length && chunk.array[end] != '\n' && end - line < SHOWN_BYTES) {
            end++;
        }
        String shown = new String(chunk.array, line, end - line, StandardCharsets.UTF_8)
                .replace('\t', '|').replaceAll("\\p{Cntrl}", "?");
        return Failure.badRow(chunk.input + ", byte " + (chunk.offset + line) + ": " + what
                + "\n  " + shown + (end - line == SHOWN_BYTES ? "…" : ""));
    }
}
