package catalog.sstables;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The cells of one row in a record: for each column of the table its length (-1: null) and bytes.
 *
 * <p>A record is: its length without this number (int), token (long), place in the input (long),
 * cells.
 */
final class Cells {
    static final int NULL = -1;
    static final int LENGTH_BYTES = Integer.BYTES;
    static final int TOKEN_AT = LENGTH_BYTES;
    static final int PLACE_AT = TOKEN_AT + Long.BYTES;
    static final int CELLS_AT = PLACE_AT + Long.BYTES;

    private final int[] starts;
    private final int[] lengths;
    private byte[] array;

    Cells(int columns) {
        starts = new int[columns];
        lengths = new int[columns];
    }

    /** Looks at the cells that begin at `at`. */
    Cells at(byte[] source, int at) {
        array = source;
        int next = at;
        for (int column = 0; column < starts.length; column++) {
            lengths[column] = Bytes.getInt(source, next);
            starts[column] = next + Integer.BYTES;
            next = starts[column] + Math.max(0, lengths[column]);
        }
        return this;
    }

    boolean isNull(int column) {
        return lengths[column] == NULL;
    }

    /** The bytes where they stand: for what is written at once and not kept. */
    ByteBuffer view(int column) {
        return ByteBuffer.wrap(array, starts[column], lengths[column]);
    }

    /** Bytes of their own: for what Cassandra keeps, such as the largest key so far. */
    ByteBuffer copy(int column) {
        int start = starts[column];
        return ByteBuffer.wrap(Arrays.copyOfRange(array, start, start + lengths[column]));
    }
}
