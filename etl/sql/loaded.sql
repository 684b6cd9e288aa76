-- What was loaded, and the notes on it.
INSERT INTO counts SELECT file, 'loaded', '', rows FROM steps;
INSERT INTO counts SELECT file, 'noted', 'out_of_order', descents FROM steps;
DROP TABLE steps;
CREATE TEMP TABLE bits AS
SELECT file_of(pos) AS file, flags, count(*) AS rows
FROM @table_clean WHERE flags <> 0 GROUP BY ALL;
INSERT INTO counts
SELECT file, section, kind, sum(rows) FROM bits JOIN flag_kinds ON flags & bit <> 0 GROUP BY ALL;
-- A row with repairs of two kinds is one repaired row.
INSERT INTO counts
SELECT file, 'repaired_rows', '', sum(rows) FROM bits WHERE flags & @repair_bits <> 0 GROUP BY ALL;
DROP TABLE bits;
