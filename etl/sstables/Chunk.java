package catalog.sstables;

/** Whole lines of one input, as they were read. */
final class Chunk {
    static final int ROW_BITS = 28;

    byte[] array;
    int length;
    /** Chunks of all inputs in the order in which they were read: it says which row is the last. */
    long number;
    /** Where it begins. */
    String input = "";
    long offset;

    Chunk(int capacity) {
        array = new byte[capacity];
    }

    /** The place of a row among all rows of the load. */
    long placeOf(int row) {
        return number << ROW_BITS | row;
    }
}
