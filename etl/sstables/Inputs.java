package catalog.sstables;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** Reads pipes and files, a thread each, into chunks of whole lines; as many chunks as are free. */
final class Inputs {
    private static final int CHUNK_BYTES = 4 << 20;
    private static final Chunk END = new Chunk(0);

    final AtomicLong bytes = new AtomicLong();
    private final Spec spec;
    private final AtomicLong chunks = new AtomicLong();
    private final BlockingQueue<Chunk> free;
    private final BlockingQueue<Chunk> full;
    private final CountDownLatch open;

    Inputs(Spec spec) {
        this.spec = spec;
        int inFlight = spec.inputs.size() + spec.workers * 2;
        free = new ArrayBlockingQueue<>(inFlight);
        full = new ArrayBlockingQueue<>(inFlight + spec.workers);
        for (int index = 0; index < inFlight; index++) {
            free.add(new Chunk(CHUNK_BYTES));
        }
        open = new CountDownLatch(spec.inputs.size());
    }

    /** Starts reading; returns when every input is open. A pipe is open when its writer is there. */
    void start() throws InterruptedException {
        Thread[] readers = new Thread[spec.inputs.size()];
        for (int index = 0; index < readers.length; index++) {
            Path input = spec.inputs.get(index);
            readers[index] = Program.start("input " + index, () -> read(input));
        }
        open.await();
        Program.start("inputs", () -> {
            for (Thread reader : readers) {
                reader.join();
            }
            for (int worker = 0; worker < spec.workers; worker++) {
                full.put(END);
            }
        });
    }

    /** The next chunk for a worker, to be given back; null when there are no more. */
    Chunk take() throws InterruptedException {
        Chunk chunk = full.take();
        return chunk == END ? null : chunk;
    }

    void giveBack(Chunk chunk) throws InterruptedException {
        free.put(chunk);
    }

    private void read(Path input) throws IOException, InterruptedException {
        try (Source stream = new Source(input)) {
            open.countDown();
            byte[] rest = new byte[0];
            long offset = 0;
            while (true) {
                Chunk chunk = free.take();
                chunk.input = input.getFileName().toString();
                chunk.offset = offset;
                int filled = fill(chunk, rest, stream);
                if (filled == 0) {
                    return;
                }
                chunk.length = endOfLines(chunk, filled);
                rest = Arrays.copyOfRange(chunk.array, chunk.length, filled);
                offset += chunk.length;
                bytes.addAndGet(chunk.length);
                chunk.number = chunks.getAndIncrement();
                full.put(chunk);
            }
        }
    }

    /** Fills a chunk, larger than usual when one line needs it; returns the bytes in it. */
    private int fill(Chunk chunk, byte[] rest, Source stream) throws IOException {
        if (chunk.array.length <= rest.length) {
            chunk.array = new byte[rest.length * 2];
        }
        System.arraycopy(rest, 0, chunk.array, 0, rest.length);
        int filled = rest.length;
        boolean hasLine = false;
        while (true) {
            int read = stream.read(chunk.array, filled, chunk.array.length - filled);
            if (read <= 0) {
                return filled;
            }
            hasLine = hasLine || lastLineFeed(chunk.array, filled, filled + read) >= 0;
            filled += read;
            if (filled == chunk.array.length) {
                if (hasLine) {
                    return filled;
                }
                grow(chunk);
            }
        }
    }

    private void grow(Chunk chunk) {
        if (chunk.array.length > spec.rowBytesLimit) {
            throw Failure.badRow(chunk.input + ", byte " + chunk.offset + ": a row of more than "
                    + spec.rowBytesLimit + " bytes");
        }
        chunk.array = Arrays.copyOf(chunk.array, chunk.array.length * 2);
    }

    private static int endOfLines(Chunk chunk, int filled) {
        int last = lastLineFeed(chunk.array, 0, filled);
        if (last < 0) {
            throw Failure.badRow(chunk.input + ", byte " + chunk.offset
                    + ": the last line has no end; what wrote it was cut off");
        }
        return last + 1;
    }

    private static int lastLineFeed(byte[] array, int from, int to) {
        for (int at = to - 1; at >= from; at--) {
            if (array[at] == '\n') {
                return at;
            }
        }
        return -1;
    }
}
