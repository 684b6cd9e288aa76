-- Every row of one file with its raw fields, and a reject for every line that came to nothing. What
-- is a row at first sight stands apart from the few others, so that it keeps its order.
CREATE VIEW @table_fields AS
SELECT pos_of(@file, rowid + 2, 0) AS pos, 1 AS lines, 0 AS flags, @column_list
FROM @table_split
WHERE state = 0 AND raw IS NULL;
CREATE VIEW @table_odd AS
SELECT pos_of(@file, rowid + 2, 0) AS pos, 1 AS lines, 0 AS flags, @column_list
FROM @table_split
WHERE state = 0 AND raw IS NOT NULL AND rowid + 2 NOT IN (SELECT line FROM @table_consumed)
UNION ALL
SELECT pos_of(@file, 0, pos) AS pos, lines, flags, unnest(regexp_extract(text, @row_pattern, @columns))
FROM @table_mended;

INSERT INTO rejects
SELECT @file, line, 1, 0, kind, '', reason
FROM read_csv(
    @set_aside_path, delim = chr(9), header = false, quote = '', escape = '', auto_detect = false,
    columns = {'line': 'BIGINT', 'kind': 'VARCHAR', 'reason': 'VARCHAR'}
);

INSERT INTO rejects
WITH lines AS (
    SELECT line, raw, regexp_extract(raw, @prefix_pattern) AS prefix
    FROM @table_suspect
    WHERE state = 1 AND line NOT IN (SELECT line FROM @table_consumed)
),
faults AS (
    SELECT
        line, raw[length(prefix) + 1:] AS rest,
        length(regexp_extract_all(prefix, @field_pattern || ',')) + 1 AS fields,
        regexp_full_match(rest, @field_pattern) AS is_wrong_count
    FROM lines
)
SELECT
    @file, line, 1, 0, 'malformed_row',
    -- The column where the row goes wrong: the first that is missing, or the one with the quote.
    coalesce(@header_names[CASE WHEN is_wrong_count THEN fields + 1 ELSE fields END], ''),
    CASE
        WHEN is_wrong_count
            THEN 'the line has ' || fields || ' fields, the header ' || @header_fields
        WHEN regexp_full_match(rest, @open_field_pattern)
            THEN 'field ' || fields || ' opens a quote that is not closed'
        ELSE 'field ' || fields || ' has a quote in the middle'
    END
FROM faults;

INSERT INTO counts
SELECT @file, 'noted', 'blank_line', count(*)
FROM @table_suspect
WHERE state = 3 AND line NOT IN (SELECT line FROM @table_consumed);
INSERT INTO counts
SELECT @file, 'rows_in', '', (
    (SELECT count(*) FROM @table_split WHERE state IN (0, 1, 2))
    - (SELECT count(*) FROM @table_consumed AS consumed
        JOIN @table_suspect AS suspect ON suspect.line = consumed.line AND suspect.state <> 3)
    + (SELECT count(*) FROM @table_mended)
);
