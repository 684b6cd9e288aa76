package catalog.sstables;

/** How many partitions each table has in each of its parts, by target. Not safe from two threads. */
final class Sketches {
    private final Spec spec;
    /** By table, part and target. */
    private final Sketch[][][] sketches;

    Sketches(Spec spec) {
        this.spec = spec;
        sketches = new Sketch[spec.tables.size()][spec.workers][spec.targets.size()];
    }

    void add(Table table, int bucket, long token) {
        Sketch[] ofTargets = sketches[table.index][partOf(table, bucket)];
        for (int target : spec.targetsOf(token)) {
            if (ofTargets[target] == null) {
                ofTargets[target] = new Sketch();
            }
            ofTargets[target].add(token);
        }
    }

    void merge(Sketches other) {
        for (int table = 0; table < sketches.length; table++) {
            for (int part = 0; part < spec.workers; part++) {
                for (int target = 0; target < spec.targets.size(); target++) {
                    Sketch more = other.sketches[table][part][target];
                    if (more != null && sketches[table][part][target] == null) {
                        sketches[table][part][target] = more;
                    } else if (more != null) {
                        sketches[table][part][target].merge(more);
                    }
                }
            }
        }
    }

    /** Partitions of a target in a range of buckets that begins and ends with a part. */
    long partitions(Table table, int fromBucket, int toBucket, int target) {
        Sketch all = new Sketch();
        for (int part = 0; part < spec.workers; part++) {
            int first = firstBucket(table, part, spec.workers);
            Sketch one = sketches[table.index][part][target];
            if (one != null && first >= fromBucket && first < toBucket) {
                all.merge(one);
            }
        }
        return all.estimate();
    }

    /** The first bucket of one of so many parts of a table; of the part after the last: their end. */
    static int firstBucket(Table table, int part, int parts) {
        return (int) (((long) part * table.buckets() + parts - 1) / parts);
    }

    private int partOf(Table table, int bucket) {
        return bucket * spec.workers / table.buckets();
    }
}
