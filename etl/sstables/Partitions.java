package catalog.sstables;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

import org.apache.cassandra.db.BufferDecoratedKey;
import org.apache.cassandra.db.Clustering;
import org.apache.cassandra.db.DecoratedKey;
import org.apache.cassandra.db.DeletionTime;
import org.apache.cassandra.db.LivenessInfo;
import org.apache.cassandra.db.RegularAndStaticColumns;
import org.apache.cassandra.db.rows.AbstractUnfilteredRowIterator;
import org.apache.cassandra.db.rows.BTreeRow;
import org.apache.cassandra.db.rows.BufferCell;
import org.apache.cassandra.db.rows.EncodingStats;
import org.apache.cassandra.db.rows.Row;
import org.apache.cassandra.db.rows.Rows;
import org.apache.cassandra.db.rows.Unfiltered;
import org.apache.cassandra.db.rows.UnfilteredRowIterator;
import org.apache.cassandra.dht.Murmur3Partitioner;

/** Makes Cassandra's partitions and rows of sorted records. */
final class Partitions {
    private final Table table;
    private final LivenessInfo liveness;
    private final EncodingStats stats;
    private final long timestamp;
    /** Places of the columns that are no part of the key, in Cassandra's order of columns. */
    private final int[] values;
    private final RegularAndStaticColumns columns;
    private final Row.Builder builder = BTreeRow.sortedBuilder();
    private Cells[] cells;
    long partitions;
    long rows;
    long duplicates;

    Partitions(Table table, long timestampMicroseconds) {
        this.table = table;
        timestamp = timestampMicroseconds;
        liveness = LivenessInfo.create(timestamp, 0);
        stats = EncodingStats.NO_STATS;
        columns = table.metadata.get().regularAndStaticColumns();
        List<Integer> places = new ArrayList<>();
        for (int place = 0; place < table.columns.length; place++) {
            if (!table.columns[place].isPrimaryKeyColumn()) {
                places.add(place);
            }
        }
        places.sort(Comparator.comparing(place -> table.columns[place]));
        values = places.stream().mapToInt(Integer::intValue).toArray();
        cells = new Cells[] {new Cells(table.columns.length)};
    }

    /** The end of the partition that begins at `from` in a sorted run. */
    static int endOfPartition(SortedRows.Row[] run, int from) {
        int to = from + 1;
        while (to < run.length && run[to].token == run[from].token
                && run[to].key.equals(run[from].key)) {
            to++;
        }
        return to;
    }

    /** One partition, of the rows of a run from `from` to `to`. */
    List<Row> rows(byte[] records, SortedRows.Row[] run, int from, int to) {
        List<Row> made = new ArrayList<>(to - from);
        for (int first = from; first < to;) {
            int next = first + 1;
            while (next < to && run[next].clustering.equals(run[first].clustering)) {
                next++;
            }
            made.add(row(records, run, first, next));
            duplicates += next - first - 1;
            first = next;
        }
        partitions++;
        rows += made.size();
        return made;
    }

    /** A reader of one partition; each target needs one of its own. */
    UnfilteredRowIterator iterator(SortedRows.Row first, List<Row> made) {
        DecoratedKey key = new BufferDecoratedKey(
                new Murmur3Partitioner.LongToken(first.token), first.key);
        boolean hasStatic = made.get(0).isStatic();
        Row staticRow = hasStatic ? made.get(0) : Rows.EMPTY_STATIC_ROW;
        return new AbstractUnfilteredRowIterator(table.metadata.get(), key, DeletionTime.LIVE,
                columns, staticRow, false, stats) {
            private int next = hasStatic ? 1 : 0;

            @Override
            protected Unfiltered computeNext() {
                return next < made.size() ? made.get(next++) : endOfData();
            }
        };
    }

    /** One row of all records with its key: of each cell the last that is given. */
    private Row row(byte[] records, SortedRows.Row[] run, int from, int to) {
        int count = to - from;
        if (cells.length < count) {
            int before = cells.length;
            cells = Arrays.copyOf(cells, count);
            for (int index = before; index < count; index++) {
                cells[index] = new Cells(table.columns.length);
            }
        }
        for (int index = 0; index < count; index++) {
            cells[index].at(records, run[from + index].start + Cells.CELLS_AT);
        }
        Clustering<?> clustering = run[from].clustering;
        builder.newRow(clustering);
        if (clustering != Clustering.STATIC_CLUSTERING) {
            builder.addPrimaryKeyLivenessInfo(liveness);
        }
        for (int column : values) {
            int last = count - 1;
            while (last >= 0 && cells[last].isNull(column)) {
                last--;
            }
            if (last >= 0) {
                ByteBuffer value = cells[last].view(column);
                builder.addCell(BufferCell.live(table.columns[column], timestamp, value));
            }
        }
        return builder.build();
    }
}
