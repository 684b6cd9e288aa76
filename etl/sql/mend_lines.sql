-- Rows whose quoted text holds line breaks: joined from consecutive suspect lines.
--
-- A quote left open on one line closes on the next line with an odd number of quotes, so each pair
-- of neighbouring odd lines in a run is tried, and what they join to must be exactly one row. A lost
-- quote therefore costs its own line and none of its neighbours. At most @join_lines lines are
-- joined.
CREATE TEMP TABLE odd_lines AS
WITH runs AS (
    SELECT *, line - row_number() OVER (ORDER BY line) AS run FROM @table_suspect
)
SELECT
    run, line, raw,
    lead(line) OVER (PARTITION BY run ORDER BY line) AS end_line,
    row_number() OVER (PARTITION BY run ORDER BY line) AS ordinal
FROM runs
WHERE (length(raw) - length(replace(raw, '"', ''))) % 2 = 1;

CREATE TEMP TABLE joined_lines AS
WITH texts AS (
    SELECT
        any_value(odd.run) AS run, any_value(odd.ordinal) AS ordinal, odd.line,
        any_value(odd.end_line) AS end_line,
        string_agg(
            suspect.raw || CASE WHEN suspect.line = odd.end_line THEN ''
                WHEN suspect.ends_in_return THEN chr(13) || chr(10) ELSE chr(10) END,
            '' ORDER BY suspect.line
        ) AS text
    FROM odd_lines AS odd
    JOIN @table_suspect AS suspect ON suspect.line BETWEEN odd.line AND odd.end_line
    WHERE odd.end_line - odd.line < @join_lines
        AND regexp_full_match(odd.raw, @open_pattern)
    GROUP BY odd.line
)
SELECT *, ordinal - row_number() OVER (PARTITION BY run ORDER BY ordinal) AS chain
FROM texts
WHERE regexp_full_match(text, @row_pattern);

-- Where the end of one join would be the start of the next, every second one of the chain counts.
CREATE TEMP TABLE accepted_lines AS
SELECT line, end_line, text
FROM joined_lines
QUALIFY row_number() OVER (PARTITION BY run, chain ORDER BY ordinal) % 2 = 1;

INSERT INTO @table_mended
SELECT line * 2, end_line - line + 1, @multiline_row, text FROM accepted_lines;
INSERT INTO @table_consumed
SELECT unnest(range(line, end_line + 1)) FROM accepted_lines;
DROP TABLE odd_lines;
DROP TABLE joined_lines;
DROP TABLE accepted_lines;
