-- Case 20 without quotes: the commas of `1,299.50` look like commas between fields. The line is read
-- with prices that may hold separators, once preferring them in the earlier price column and once in
-- the later; only when both readings agree, and every field can then be read, is it a row.
CREATE TEMP TABLE priced_lines AS
WITH readings AS (
    SELECT
        line,
        regexp_extract(raw, @eager_pattern, @all_columns) AS eager,
        regexp_extract(raw, @lazy_pattern, @all_columns) AS lazy
    FROM @table_suspect
    WHERE state = 1
        AND line NOT IN (SELECT line FROM @table_consumed)
        AND regexp_full_match(raw, @eager_pattern)
)
SELECT line, @quoted_columns AS text FROM readings WHERE eager = lazy AND @is_readable;
INSERT INTO @table_mended SELECT line * 2, 1, 0, text FROM priced_lines;
INSERT INTO @table_consumed SELECT line FROM priced_lines;
DROP TABLE priced_lines;
