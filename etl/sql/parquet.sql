-- The rows of one Parquet file with their fields as a line of CSV would hold them.
CREATE TABLE @table_split AS
SELECT pos_of(@file, file_row_number + 1, 0) AS pos, 1 AS lines, 0 AS flags, @fields
FROM @rows;
CREATE VIEW @table_fields AS FROM @table_split;
CREATE VIEW @table_odd AS FROM @table_split LIMIT 0;
INSERT INTO counts SELECT @file, 'rows_in', '', count(*) FROM @table_split;
