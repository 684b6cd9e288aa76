-- Of the rows with one key only the last one stays; the others count as repaired.
CREATE TEMP TABLE last_rows AS
SELECT id, max(pos) AS pos FROM @table_clean GROUP BY id HAVING count(*) > 1;
CREATE TEMP TABLE superseded AS
SELECT loaded.rowid AS place, loaded.pos, loaded.flags
FROM @table_clean AS loaded JOIN last_rows ON last_rows.id = loaded.id
WHERE loaded.pos < last_rows.pos;
INSERT INTO counts
SELECT file_of(pos), 'repaired', 'duplicate_key', count(*) FROM superseded GROUP BY ALL;
INSERT INTO counts
SELECT file_of(pos), 'repaired_rows', '', count(*)
FROM superseded WHERE flags & @repair_bits = 0 GROUP BY ALL;
DELETE FROM @table_clean WHERE rowid IN (SELECT place FROM superseded);
DROP TABLE last_rows;
DROP TABLE superseded;
