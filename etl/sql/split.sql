-- One legacy file, by physical line: every line once, in order, so that rowid + 2 is its number.
--
-- state 0: a row by itself; 1: no row; 2: set aside for its bytes; 3: blank. `raw` is kept for lines
-- that are no row and for those whose key is no number, which may belong to a text of many lines.
--
-- A line with neither a quote nor a carriage return, which no field may hold, is a row when it has
-- the right number of commas. Cutting it there takes a tenth of the time of the pattern.
CREATE OR REPLACE TABLE @table_split AS
WITH lines AS (
    SELECT @line AS line, @returns AS ends_in_return
    FROM read_csv(
        @path, columns = {'line': 'VARCHAR'}, header = false, skip = 1, auto_detect = false,
        delim = chr(0), quote = '', escape = '', max_line_size = 4194304
    )
),
cuts AS (
    SELECT
        line, ends_in_return,
        CASE WHEN NOT contains(line, '"') AND NOT contains(line, chr(13))
            THEN string_split(line, ',') END AS parts
    FROM lines
),
matches AS (
    SELECT
        line, ends_in_return, parts,
        CASE WHEN parts IS NULL THEN regexp_extract(line, @row_pattern, @columns) END AS field
    FROM cuts
),
rows AS (
    SELECT
        line, ends_in_return, parts, field,
        CASE
            WHEN line IS NULL THEN 2
            WHEN len(parts) = @header_fields THEN 0
            WHEN parts IS NULL AND (field.id <> '' OR regexp_full_match(line, @row_pattern)) THEN 0
            WHEN regexp_full_match(line, '[ \t]*') THEN 3
            ELSE 1
        END AS state
    FROM matches
),
fields AS (
    SELECT line, ends_in_return, state, @fields FROM rows
),
raws AS (
    SELECT
        *,
        CASE WHEN state IN (1, 3) OR (state = 0 AND NOT is_digits(id)) THEN line END AS raw
    FROM fields
)
SELECT
    CAST(state AS TINYINT) AS state,
    raw,
    CASE WHEN raw IS NOT NULL THEN ends_in_return END AS ends_in_return,
    @column_list
FROM raws;

-- Lines that are no row by themselves, and what the mending stages make of them: rows again
-- (`mended`), each from one or several lines (`consumed`). pos is here the order of rows in the file:
-- twice the line number, plus one for the second of two rows on a line.
CREATE OR REPLACE TABLE @table_suspect AS
SELECT rowid + 2 AS line, state, raw, ends_in_return
FROM @table_split
WHERE raw IS NOT NULL;
CREATE OR REPLACE TABLE @table_mended (pos BIGINT, lines INTEGER, flags INTEGER, text VARCHAR);
CREATE OR REPLACE TABLE @table_consumed (line BIGINT);

SELECT count(*) FROM @table_split;
