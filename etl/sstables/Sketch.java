package catalog.sstables;

/**
 * Estimates how many different tokens it was shown (HyperLogLog, within about 2 %), in 4 KiB.
 * The bloom filter of an SSTable is sized by its number of partitions before the first is written.
 */
final class Sketch {
    private static final int INDEX_BITS = 12;
    private static final int REGISTERS = 1 << INDEX_BITS;
    private static final long MIXER = 0x9E3779B97F4A7C15L;

    private final byte[] ranks = new byte[REGISTERS];

    void add(long token) {
        // Tokens are random, but those of one range share their first bits.
        long mixed = token * MIXER;
        mixed ^= mixed >>> (Long.SIZE / 2);
        mixed *= MIXER;
        int register = (int) (mixed >>> (Long.SIZE - INDEX_BITS));
        int rank = Long.numberOfLeadingZeros(mixed << INDEX_BITS | 1L << (INDEX_BITS - 1)) + 1;
        if (rank > ranks[register]) {
            ranks[register] = (byte) rank;
        }
    }

    void merge(Sketch other) {
        for (int register = 0; register < REGISTERS; register++) {
            ranks[register] = (byte) Math.max(ranks[register], other.ranks[register]);
        }
    }

    long estimate() {
        double sum = 0;
        int empty = 0;
        for (byte rank : ranks) {
            sum += Math.scalb(1.0, -rank);
            empty += rank == 0 ? 1 : 0;
        }
        double raw = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / sum;
        if (raw <= 2.5 * REGISTERS && empty > 0) {
            return Math.round(REGISTERS * Math.log((double) REGISTERS / empty));
        }
        return Math.round(raw);
    }
}
