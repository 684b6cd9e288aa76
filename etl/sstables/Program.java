package catalog.sstables;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

import org.apache.cassandra.config.Config;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.io.sstable.format.SSTableFormat;
import org.apache.cassandra.utils.StorageCompatibilityMode;

/**
 * Writes SSTables of rows that come through pipes: `Program SPEC.json`.
 *
 * <p>First every row goes to a file of its range of tokens (a bucket); then one bucket after the
 * other is sorted in memory and appended, so that each thread leaves one long sorted run. See
 * {@link Failure} for the exit codes; the message stands on standard error.
 */
public final class Program {
    private static final long PROGRESS_MILLISECONDS = 500;
    /** Below it two runs would only be more files to look into. */
    private static final long LEAST_PART_BYTES = 32L << 20;

    /** Work for a thread. */
    interface Task {
        void run() throws Exception;
    }

    private Program() {
    }

    public static void main(String[] arguments) {
        try {
            if (arguments.length != 1) {
                throw Failure.specification("give one argument, the file that holds it");
            }
            open();
            write(Spec.read(Path.of(arguments[0])));
            // Cassandra leaves threads behind that would keep the program alive.
            end(0);
        } catch (Throwable error) {
            fail(error);
        }
    }

    static SSTableFormat<?, ?> format() {
        return DatabaseDescriptor.getSSTableFormats().get("bti");
    }

    /** Starts a thread whose failure ends the program. */
    static Thread start(String name, Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Throwable error) {
                fail(error);
            }
        }, name);
        thread.start();
        return thread;
    }

    private static void open() {
        DatabaseDescriptor.clientInitialization(false, () -> {
            Config config = new Config();
            config.partitioner = Murmur3Partitioner.class.getName();
            config.storage_compatibility_mode = StorageCompatibilityMode.NONE;
            config.sstable.selected_format = "bti";
            return config;
        });
        DatabaseDescriptor.setPartitionerUnsafe(Murmur3Partitioner.instance);
    }

    private static void write(Spec spec) throws Exception {
        CompletableFuture<String> told = listenToLoader();
        Path scratch = spec.directory.resolve("buckets");
        List<Buckets> buckets = new ArrayList<>();
        for (Table table : spec.tables) {
            buckets.add(new Buckets(table, scratch));
        }
        Inputs inputs = new Inputs(spec);
        Report report = new Report(spec, inputs, buckets);
        inputs.start();
        Report.say("ready", Map.of());
        start("progress", () -> {
            while (true) {
                Thread.sleep(PROGRESS_MILLISECONDS);
                report.progress();
            }
        });
        long begun = System.nanoTime();
        Sketches sketches = split(spec, inputs, buckets);
        checkComplete(buckets, told.get());
        long split = System.nanoTime();
        for (Buckets one : buckets) {
            one.close();
        }
        writeParts(spec, buckets, sketches, report);
        Files.deleteIfExists(scratch);
        double writingSeconds = (System.nanoTime() - split) / 1e9;
        report.progress();
        Report.say("done", report.finish((split - begun) / 1e9, writingSeconds));
    }

    /**
     * Pipes end also when their writer was killed, or are never opened. Only the loader knows that
     * all is sent: it then says so in a line on standard input. Without that line nobody waits for
     * this program any more.
     */
    private static CompletableFuture<String> listenToLoader() {
        CompletableFuture<String> told = new CompletableFuture<>();
        start("loader", () -> {
            String said = new BufferedReader(new InputStreamReader(System.in)).readLine();
            if (said == null) {
                throw new Failure(Failure.INPUT_OUTPUT, "the loader went away before all was sent");
            }
            told.complete(said);
        });
        return told;
    }

    /** What the loader said is the number of rows, or "any" when it did not count. */
    private static void checkComplete(List<Buckets> buckets, String said) {
        long rows = buckets.stream().mapToLong(one -> one.rows(0, one.table.buckets())).sum();
        if (!said.equals("any") && !said.equals(Long.toString(rows))) {
            throw new Failure(Failure.INPUT_OUTPUT,
                    "of " + said + " rows that were sent, " + rows + " have arrived");
        }
    }

    private static Sketches split(Spec spec, Inputs inputs, List<Buckets> buckets)
            throws InterruptedException {
        Sketches all = new Sketches(spec);
        inParallel(spec.workers, "splitter", () -> {
            Sketches own = new Sketches(spec);
            Splitter splitter = new Splitter(spec, buckets, own);
            for (Chunk chunk = inputs.take(); chunk != null; chunk = inputs.take()) {
                splitter.split(chunk);
                inputs.giveBack(chunk);
            }
            synchronized (all) {
                all.merge(own);
            }
        });
        return all;
    }

    private static void writeParts(Spec spec, List<Buckets> buckets, Sketches sketches,
            Report report) throws InterruptedException {
        List<PartWriter> parts = new ArrayList<>();
        for (Buckets one : buckets) {
            int all = one.table.buckets();
            boolean large = one.bytes(0, all) >= LEAST_PART_BYTES * spec.workers;
            int count = large && all >= spec.workers ? spec.workers : 1;
            for (int part = 0; part < count; part++) {
                parts.add(new PartWriter(spec, one, sketches, report, part, count));
            }
        }
        parts.sort(Comparator.comparingLong(PartWriter::bytes).reversed());
        Queue<PartWriter> waiting = new ConcurrentLinkedQueue<>(parts);
        inParallel(Math.min(spec.workers, parts.size()), "writer", () -> {
            Bytes records = new Bytes(1 << 16);
            for (PartWriter part = waiting.poll(); part != null; part = waiting.poll()) {
                part.write(records);
            }
        });
    }

    private static void inParallel(int count, String name, Task task) throws InterruptedException {
        Thread[] threads = new Thread[count];
        for (int index = 0; index < count; index++) {
            threads[index] = start(name + " " + index, task);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static synchronized void fail(Throwable error) {
        Failure failure = Failure.of(error);
        System.err.println(failure.getMessage());
        if (failure.exitCode == Failure.INTERNAL) {
            error.printStackTrace();
        }
        end(failure.exitCode);
    }

    /** Ends at once, whatever other threads do: what is not whole has no manifest. */
    private static void end(int exitCode) {
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(exitCode);
    }
}
