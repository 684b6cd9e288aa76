package catalog.sstables;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A growing array of bytes, big-endian, and the search for control characters in one. */
final class Bytes {
    private static final VarHandle INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle WORDS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long LOWEST_BITS = 0x0101010101010101L;
    private static final long HIGHEST_BITS = 0x8080808080808080L;
    /** Tab, line feed and the quote are below it; of the texts' own characters hardly any is. */
    private static final int CONTROLS = 0x10;

    byte[] array;
    int length;

    Bytes(int capacity) {
        array = new byte[capacity];
    }

    void putInt(int value) {
        reserve(Integer.BYTES);
        INTS.set(array, length, value);
        length += Integer.BYTES;
    }

    void putLong(long value) {
        reserve(Long.BYTES);
        LONGS.set(array, length, value);
        length += Long.BYTES;
    }

    void put(byte[] source, int from, int to) {
        reserve(to - from);
        System.arraycopy(source, from, array, length, to - from);
        length += to - from;
    }

    void putByte(int value) {
        reserve(1);
        array[length++] = (byte) value;
    }

    /** Makes room for so many bytes more. */
    void reserve(int more) {
        if (array.length - length < more) {
            long wanted = Math.max((long) length + more, array.length * 3L / 2);
            if ((long) length + more > Integer.MAX_VALUE - 8) {
                throw new Failure(Failure.INTERNAL, "more than 2 GiB in one piece");
            }
            array = Arrays.copyOf(array, (int) Math.min(wanted, Integer.MAX_VALUE - 8));
        }
    }

    static int getInt(byte[] source, int at) {
        return (int) INTS.get(source, at);
    }

    static void setInt(byte[] target, int at, int value) {
        INTS.set(target, at, value);
    }

    static long getLong(byte[] source, int at) {
        return (long) LONGS.get(source, at);
    }

    static void setLong(byte[] target, int at, long value) {
        LONGS.set(target, at, value);
    }

    /** Finds the first byte below 0x10, eight at a time; returns `limit` when there is none. */
    static int findControl(byte[] source, int from, int limit) {
        int at = from;
        for (; at + Long.BYTES <= limit; at += Long.BYTES) {
            long word = (long) WORDS.get(source, at);
            // Of several bytes that are marked the lowest is surely one; borrows only run upwards.
            long marks = (word - LOWEST_BITS * CONTROLS) & ~word & HIGHEST_BITS;
            if (marks != 0) {
                return at + (Long.numberOfTrailingZeros(marks) >>> 3);
            }
        }
        while (at < limit && (source[at] & 0xff) >= CONTROLS) {
            at++;
        }
        return at;
    }
}
