-- What was loaded, and the notes on it; then of the rows with one key only the last one stays.
INSERT INTO counts SELECT file_of(pos), 'loaded', '', count(*) FROM @table_clean GROUP BY ALL;
INSERT INTO counts
WITH bits AS (
    SELECT file_of(pos) AS file, flags, count(*) AS rows
    FROM @table_clean WHERE flags <> 0 GROUP BY ALL
)
SELECT file, section, kind, sum(rows)
FROM bits JOIN flag_kinds ON flags & bit <> 0
GROUP BY ALL;
INSERT INTO counts
SELECT file_of(pos), 'noted', 'out_of_order', count(*)
FROM (
    SELECT pos, id < lag(id) OVER (ORDER BY pos) AS is_smaller, lag(pos) OVER (ORDER BY pos) AS before
    FROM @table_clean
)
WHERE is_smaller AND file_of(before) = file_of(pos)
GROUP BY ALL;

CREATE TEMP TABLE last_rows AS
SELECT id, max(pos) AS pos FROM @table_clean GROUP BY id HAVING count(*) > 1;
INSERT INTO counts
SELECT file_of(loaded.pos), 'repaired', 'duplicate_key', count(*)
FROM @table_clean AS loaded JOIN last_rows ON last_rows.id = loaded.id
WHERE loaded.pos < last_rows.pos
GROUP BY ALL;
-- A row with repairs of two kinds is one repaired row.
INSERT INTO counts
SELECT file_of(loaded.pos), 'repaired_rows', '', count(*)
FROM @table_clean AS loaded LEFT JOIN last_rows ON last_rows.id = loaded.id
WHERE loaded.flags & @repair_bits <> 0 OR loaded.pos < last_rows.pos
GROUP BY ALL;
DELETE FROM @table_clean
WHERE EXISTS (
    SELECT 1 FROM last_rows WHERE last_rows.id = @table_clean.id AND @table_clean.pos < last_rows.pos
);
DROP TABLE last_rows;
