-- What was loaded, and the notes on it; then of the rows with one key only the last one stays.
INSERT INTO counts SELECT @file, 'loaded', '', count(*) FROM @table_clean;
INSERT INTO counts
WITH bits AS (
    SELECT flags FROM @table_clean WHERE flags <> 0
)
SELECT @file, section, kind, (SELECT count(*) FROM bits WHERE flags & bit <> 0)
FROM flag_kinds;
INSERT INTO counts
SELECT @file, 'noted', 'out_of_order', count(*)
FROM (SELECT id < lag(id) OVER (ORDER BY pos) AS out_of_order FROM @table_clean)
WHERE out_of_order;

CREATE TEMP TABLE last_rows AS
SELECT id, max(pos) AS pos FROM @table_clean GROUP BY id HAVING count(*) > 1;
INSERT INTO counts
SELECT @file, 'repaired', 'duplicate_key', count(*)
FROM @table_clean AS loaded JOIN last_rows ON last_rows.id = loaded.id
WHERE loaded.pos < last_rows.pos;
-- A row with repairs of two kinds is one repaired row.
INSERT INTO counts
SELECT @file, 'repaired_rows', '', count(*)
FROM @table_clean AS loaded LEFT JOIN last_rows ON last_rows.id = loaded.id
WHERE loaded.flags & @repair_bits <> 0 OR loaded.pos < last_rows.pos;
DELETE FROM @table_clean
WHERE EXISTS (
    SELECT 1 FROM last_rows WHERE last_rows.id = @table_clean.id AND @table_clean.pos < last_rows.pos
);
DROP TABLE last_rows;
