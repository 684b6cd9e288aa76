package catalog.sstables;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * What one load is to leave, read from a JSON file:
 * <pre>
 * {"directory": "…", "inputs": ["pipe", …], "workers": 2, "bucket_bytes": 67108864,
 *  "row_bytes_limit": 16777216,
 *  "targets": ["all"], "ranges": [[range end, [index of target, …]], …],
 *  "tables": [{"tag": "A", "keyspace": "k", "table": "t", "cql": "CREATE TABLE …",
 *              "timestamp_microseconds": 1, "expected_bytes": 0, "columns": [["id", "bigint"], …]}]}
 * </pre>
 * A target is a set of SSTables of its own; a row goes to every target of its token's range. Ranges
 * ascend by their ends; tokens after the last belong to the first. No ranges: all to target 0.
 */
final class Spec {
    final Path directory;
    final List<Path> inputs = new ArrayList<>();
    final int workers;
    final int bucketBytes;
    final int rowBytesLimit;
    final List<String> targets = new ArrayList<>();
    final List<Table> tables = new ArrayList<>();
    private final long[] rangeEnds;
    private final int[][] rangeTargets;
    private final int[] allToFirst = {0};

    private Spec(JsonNode json) {
        directory = Path.of(text(json, "directory"));
        json.path("inputs").forEach(input -> inputs.add(Path.of(input.asText())));
        workers = (int) number(json, "workers", 1, 64);
        bucketBytes = (int) number(json, "bucket_bytes", 1 << 10, 1 << 30);
        rowBytesLimit = (int) number(json, "row_bytes_limit", 1, 1 << 28);
        json.path("targets").forEach(target -> targets.add(target.asText()));
        JsonNode ranges = json.path("ranges");
        rangeEnds = new long[ranges.size()];
        rangeTargets = new int[ranges.size()][];
        for (int index = 0; index < ranges.size(); index++) {
            rangeEnds[index] = ranges.get(index).path(0).asLong();
            rangeTargets[index] = targetsOf(ranges.get(index).path(1));
            if (index > 0 && rangeEnds[index] <= rangeEnds[index - 1]) {
                throw Failure.specification("ranges must ascend");
            }
        }
        for (JsonNode table : json.path("tables")) {
            tables.add(new Table(table, tables.size(), this));
        }
        if (inputs.isEmpty() || tables.isEmpty() || targets.isEmpty()) {
            throw Failure.specification("inputs, tables and targets must name one each at least");
        }
        if (tables.stream().map(table -> table.tag).distinct().count() < tables.size()) {
            throw Failure.specification("two tables have one tag");
        }
    }

    static Spec read(Path file) throws IOException {
        return new Spec(new ObjectMapper().readTree(Files.readAllBytes(file)));
    }

    /** The indexes of the targets that get rows of this token. */
    int[] targetsOf(long token) {
        if (rangeEnds.length == 0) {
            return allToFirst;
        }
        int found = Arrays.binarySearch(rangeEnds, token);
        int index = found >= 0 ? found : -found - 1;
        return rangeTargets[index == rangeEnds.length ? 0 : index];
    }

    private int[] targetsOf(JsonNode indexes) {
        int[] found = new int[indexes.size()];
        for (int place = 0; place < found.length; place++) {
            found[place] = indexes.get(place).asInt(-1);
            if (found[place] < 0 || found[place] >= targets.size()) {
                throw Failure.specification("a range names target " + indexes.get(place));
            }
        }
        if (found.length == 0) {
            throw Failure.specification("a range without a target: its rows would be lost");
        }
        return found;
    }

    static String text(JsonNode json, String name) {
        if (!json.path(name).isTextual() || json.path(name).asText().isEmpty()) {
            throw Failure.specification(name + " is missing or no text");
        }
        return json.path(name).asText();
    }

    static long number(JsonNode json, String name, long least, long most) {
        JsonNode value = json.path(name);
        if (!value.canConvertToLong() || value.asLong() < least || value.asLong() > most) {
            throw Failure.specification(name + ": a number between " + least + " and " + most);
        }
        return value.asLong();
    }
}
