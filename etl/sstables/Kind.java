package catalog.sstables;

import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;

import org.apache.cassandra.db.marshal.AsciiType;
import org.apache.cassandra.db.marshal.UTF8Type;
import org.apache.cassandra.serializers.MarshalException;

/** How the text of a field becomes the bytes of a cell. */
enum Kind {
    BIGINT("bigint") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            out.putLong(integer(in, from, to, Long.MIN_VALUE, Long.MAX_VALUE));
        }
    },
    INT("int") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            out.putInt((int) integer(in, from, to, Integer.MIN_VALUE, Integer.MAX_VALUE));
        }
    },
    TINYINT("tinyint") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            out.putByte((int) integer(in, from, to, Byte.MIN_VALUE, Byte.MAX_VALUE));
        }
    },
    /** Milliseconds since 1970, UTC. */
    TIMESTAMP("timestamp") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            BIGINT.encode(in, from, to, out);
        }
    },
    BOOLEAN("boolean") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            if (is("true", in, from, to)) {
                out.putByte(1);
            } else if (is("false", in, from, to)) {
                out.putByte(0);
            } else {
                throw new IllegalArgumentException("neither true nor false");
            }
        }
    },
    ASCII("ascii") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            validate(() -> AsciiType.instance.validate(ByteBuffer.wrap(in, from, to - from)));
            out.put(in, from, to);
        }
    },
    TEXT("text") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            validate(() -> UTF8Type.instance.validate(ByteBuffer.wrap(in, from, to - from)));
            out.put(in, from, to);
        }
    },
    /** The field's own bytes. */
    BLOB("blob") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            out.put(in, from, to);
        }
    },
    /** Two hexadecimal digits a byte, for blobs that are no text. */
    BLOB_HEX("blob_hex") {
        @Override
        void encode(byte[] in, int from, int to, Bytes out) {
            if ((to - from) % 2 != 0) {
                throw new IllegalArgumentException("an odd number of hexadecimal digits");
            }
            for (int at = from; at < to; at += 2) {
                int high = Character.digit(in[at], 16);
                int low = Character.digit(in[at + 1], 16);
                if (high < 0 || low < 0) {
                    throw new IllegalArgumentException("not hexadecimal");
                }
                out.putByte(high << 4 | low);
            }
        }
    };

    private static final Map<String, Kind> BY_NAME = byName();

    private final String typeName;

    Kind(String typeName) {
        this.typeName = typeName;
    }

    /**
     * Appends the cell's bytes.
     *
     * @throws IllegalArgumentException the field does not hold this; says why in a few words.
     */
    abstract void encode(byte[] in, int from, int to, Bytes out);

    static Kind named(String name) {
        Kind kind = BY_NAME.get(name.toLowerCase(Locale.ROOT));
        if (kind == null) {
            throw Failure.specification("type " + name + " is none of " + BY_NAME.keySet());
        }
        return kind;
    }

    /** The type of the column in CQL. */
    String cqlType() {
        return this == BLOB_HEX ? BLOB.typeName : typeName;
    }

    private static Map<String, Kind> byName() {
        Map<String, Kind> kinds = new java.util.TreeMap<>();
        for (Kind kind : values()) {
            kinds.put(kind.typeName, kind);
        }
        return kinds;
    }

    private static long integer(byte[] in, int from, int to, long least, long most) {
        boolean negative = from < to && in[from] == '-';
        int first = negative ? from + 1 : from;
        if (first == to || to - first > 19) {
            throw new IllegalArgumentException("no whole number");
        }
        // Gathered below zero: the smallest number has no positive counterpart.
        long value = 0;
        for (int at = first; at < to; at++) {
            int digit = in[at] - '0';
            if (digit < 0 || digit > 9) {
                throw new IllegalArgumentException("no whole number");
            }
            if (value < (Long.MIN_VALUE + digit) / 10) {
                throw new IllegalArgumentException("out of range");
            }
            value = value * 10 - digit;
        }
        if (!negative && value == Long.MIN_VALUE) {
            throw new IllegalArgumentException("out of range");
        }
        long signed = negative ? value : -value;
        if (signed < least || signed > most) {
            throw new IllegalArgumentException("out of range");
        }
        return signed;
    }

    private static boolean is(String word, byte[] in, int from, int to) {
        if (to - from != word.length()) {
            return false;
        }
        for (int index = 0; index < word.length(); index++) {
            if (in[from + index] != word.charAt(index)) {
                return false;
            }
        }
        return true;
    }

    private static void validate(Runnable check) {
        try {
            check.run();
        } catch (MarshalException error) {
            throw new IllegalArgumentException(error.getMessage(), error);
        }
    }
}
