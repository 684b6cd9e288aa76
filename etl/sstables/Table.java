package catalog.sstables;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.cassandra.cql3.statements.schema.CreateTableStatement;
import org.apache.cassandra.db.Clustering;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.schema.ColumnMetadata;
import org.apache.cassandra.schema.TableMetadata;
import org.apache.cassandra.schema.TableMetadataRef;

/** One table: its columns in the order of the input, and how its tokens are cut into buckets. */
final class Table {
    private static final long EXPECTED_BYTES_MOST = 1L << 50;
    private static final int BUCKET_BITS_UNKNOWN = 5;
    private static final int BUCKET_BITS_MOST = 9;

    final byte tag;
    final int index;
    final String keyspace;
    final String name;
    final TableMetadataRef metadata;
    final Kind[] kinds;
    /** In the order of the input, as the next three. */
    final ColumnMetadata[] columns;
    /** Places among the columns, in the order of the primary key. */
    final int[] partitionKey;
    final int[] clustering;
    final int bucketBits;
    final boolean hasStatic;
    /** Of every cell of the table. */
    final long timestampMicroseconds;

    Table(JsonNode json, int index, Spec spec) {
        String tagText = Spec.text(json, "tag");
        if (tagText.length() != 1 || tagText.charAt(0) <= ' ' || tagText.charAt(0) > '~') {
            throw Failure.specification("tag " + tagText + " is not one visible ASCII character");
        }
        tag = (byte) tagText.charAt(0);
        this.index = index;
        timestampMicroseconds = Spec.number(json, "timestamp_microseconds", 1, Long.MAX_VALUE);
        keyspace = Spec.text(json, "keyspace");
        name = Spec.text(json, "table");
        TableMetadata table = parse(Spec.text(json, "cql"), keyspace);
        if (!table.name.equals(name)) {
            throw Failure.specification("the CQL of " + name + " creates " + table.name);
        }
        metadata = TableMetadataRef.forOfflineTools(table);
        JsonNode listed = json.path("columns");
        kinds = new Kind[listed.size()];
        columns = new ColumnMetadata[listed.size()];
        List<ColumnMetadata> seen = new ArrayList<>();
        for (int place = 0; place < kinds.length; place++) {
            kinds[place] = Kind.named(listed.get(place).path(1).asText());
            columns[place] = column(table, listed.get(place).path(0).asText(), kinds[place]);
            seen.add(columns[place]);
        }
        if (seen.stream().distinct().count() < seen.size()) {
            throw Failure.specification(name + ": a column is listed twice");
        }
        partitionKey = places(table.partitionKeyColumns(), seen);
        clustering = places(table.clusteringColumns(), seen);
        hasStatic = seen.stream().anyMatch(ColumnMetadata::isStatic);
        long expected = Spec.number(json, "expected_bytes", 0, EXPECTED_BYTES_MOST);
        bucketBits = bucketBits(expected, spec.bucketBytes);
    }

    int buckets() {
        return 1 << bucketBits;
    }

    /** Buckets are ranges of tokens, ascending. */
    int bucketOf(long token) {
        return bucketBits == 0 ? 0 : (int) ((token ^ Long.MIN_VALUE) >>> (Long.SIZE - bucketBits));
    }

    static long tokenOf(ByteBuffer key) {
        return Murmur3Partitioner.instance.getToken(key).token;
    }

    /** The serialised partition key of a row. */
    ByteBuffer keyOf(Cells cells) {
        if (partitionKey.length == 1) {
            return cells.copy(partitionKey[0]);
        }
        ByteBuffer[] parts = new ByteBuffer[partitionKey.length];
        for (int place = 0; place < parts.length; place++) {
            parts[place] = cells.copy(partitionKey[place]);
        }
        return metadata.get().partitionKeyAsClusteringComparator().make((Object[]) parts)
                .serializeAsPartitionKey();
    }

    /** The clustering of a row, copied; Clustering.STATIC_CLUSTERING for one of static columns. */
    Clustering<?> clusteringOf(Cells cells) {
        if (clustering.length == 0) {
            return Clustering.EMPTY;
        }
        if (cells.isNull(clustering[0])) {
            return Clustering.STATIC_CLUSTERING;
        }
        ByteBuffer[] parts = new ByteBuffer[clustering.length];
        for (int place = 0; place < parts.length; place++) {
            parts[place] = cells.copy(clustering[place]);
        }
        return Clustering.make(parts);
    }

    @Override
    public String toString() {
        return keyspace + "." + name;
    }

    private static TableMetadata parse(String cql, String keyspace) {
        try {
            return CreateTableStatement.parse(cql, keyspace)
                    .partitioner(Murmur3Partitioner.instance).build();
        } catch (RuntimeException error) {
            throw Failure.specification(error.getMessage() + " in: " + cql);
        }
    }

    private static ColumnMetadata column(TableMetadata table, String name, Kind kind) {
        ColumnMetadata column = table.getColumn(ByteBuffer.wrap(name.getBytes()));
        if (column == null) {
            throw Failure.specification(table + " has no column " + name);
        }
        if (!column.type.asCQL3Type().toString().equals(kind.cqlType())) {
            throw Failure.specification(table + "." + name + " is " + column.type.asCQL3Type());
        }
        return column;
    }

    private static int[] places(Iterable<ColumnMetadata> wanted, List<ColumnMetadata> seen) {
        List<Integer> found = new ArrayList<>();
        for (ColumnMetadata column : wanted) {
            if (!seen.contains(column)) {
                throw Failure.specification("the columns lack " + column.name + " of the key");
            }
            found.add(seen.indexOf(column));
        }
        return found.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Half as full as they may be: an estimate is no promise. */
    private static int bucketBits(long expectedBytes, int bucketBytes) {
        if (expectedBytes == 0) {
            return BUCKET_BITS_UNKNOWN;
        }
        int bits = 0;
        while (bits < BUCKET_BITS_MOST && (expectedBytes >> bits) > bucketBytes / 2) {
            bits++;
        }
        return bits;
    }
}
