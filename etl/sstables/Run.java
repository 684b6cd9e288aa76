package catalog.sstables;

import java.util.ArrayList;
import java.util.List;

import org.apache.cassandra.db.RegularAndStaticColumns;
import org.apache.cassandra.db.SerializationHeader;
import org.apache.cassandra.db.rows.EncodingStats;
import org.apache.cassandra.db.rows.UnfilteredRowIterator;
import org.apache.cassandra.io.sstable.Descriptor;
import org.apache.cassandra.io.sstable.SSTableTxnWriter;
import org.apache.cassandra.io.sstable.SequenceBasedSSTableId;
import org.apache.cassandra.io.sstable.format.SSTableFormat;
import org.apache.cassandra.io.util.File;
import org.apache.cassandra.service.ActiveRepairService;

/** One SSTable in the making. */
final class Run {
    private final SSTableTxnWriter writer;

    Run(Table table, java.nio.file.Path directory, int number, long partitions) {
        SSTableFormat<?, ?> format = Program.format();
        Descriptor descriptor = new Descriptor(new File(directory), table.keyspace, table.name,
                new SequenceBasedSSTableId(number), format);
        EncodingStats stats = new EncodingStats(table.timestampMicroseconds,
                EncodingStats.NO_STATS.minLocalDeletionTime, EncodingStats.NO_STATS.minTTL);
        SerializationHeader header = new SerializationHeader(true, table.metadata.get(),
                columns(table), stats);
        writer = SSTableTxnWriter.create(table.metadata, descriptor, Math.max(1, partitions),
                ActiveRepairService.UNREPAIRED_SSTABLE, ActiveRepairService.NO_PENDING_REPAIR,
                false, header, List.of(), null);
    }

    void append(UnfilteredRowIterator partition) {
        writer.append(partition);
    }

    /** Writes what is left, to the disk itself, and names the SSTable as finished. */
    void finish() {
        writer.finish(false);
        writer.close();
    }

    private static RegularAndStaticColumns columns(Table table) {
        List<org.apache.cassandra.schema.ColumnMetadata> given = new ArrayList<>();
        for (org.apache.cassandra.schema.ColumnMetadata column : table.columns) {
            if (!column.isPrimaryKeyColumn()) {
                given.add(column);
            }
        }
        return RegularAndStaticColumns.builder().addAll(given).build();
    }
}
