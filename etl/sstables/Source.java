package catalog.sstables;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file or pipe that is read into arrays through one small buffer. Java's own streams take memory of
 * the size of the array for each read, and keep it.
 */
final class Source implements AutoCloseable {
    private static final int BUFFER_BYTES = 256 << 10;

    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);

    Source(Path file) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.READ);
    }

    /** Reads some bytes, at most `length`; returns how many, -1 at the end. */
    int read(byte[] target, int from, int length) throws IOException {
        if (!buffer.hasRemaining()) {
            buffer.clear();
            int read = channel.read(buffer);
            buffer.flip();
            if (read < 0) {
                return -1;
            }
        }
        int taken = Math.min(length, buffer.remaining());
        buffer.get(target, from, taken);
        return taken;
    }

    /** Reads so many bytes; false when the end comes first. */
    boolean readFully(byte[] target, int from, int length) throws IOException {
        int filled = 0;
        while (filled < length) {
            int read = read(target, from + filled, length - filled);
            if (read < 0) {
                return false;
            }
            filled += read;
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
