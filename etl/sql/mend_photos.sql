-- Case 2: the last field's quote was never closed; it ends with the line.
INSERT INTO @table_mended
SELECT line * 2, 1, @unclosed_quote, raw || '"'
FROM @table_suspect
WHERE state = 1 AND regexp_full_match(raw, @unclosed_pattern);

-- Case 3: two rows on one line, with a comma or, after a quote or a null, nothing between them. The
-- second must begin with a number, and may itself lack its last quote.
CREATE TEMP TABLE joined_rows AS
SELECT
    line,
    unnest(
        CASE WHEN regexp_full_match(raw, @parted_rows_pattern)
            THEN regexp_extract(raw, @parted_rows_pattern, ['first', 'second', 'second_open'])
            ELSE regexp_extract(raw, @touching_rows_pattern, ['first', 'second', 'second_open'])
        END
    )
FROM @table_suspect
WHERE state = 1
    AND (
        regexp_full_match(raw, @parted_rows_pattern)
        OR regexp_full_match(raw, @touching_rows_pattern)
    );
INSERT INTO @table_mended
SELECT line * 2, 1, @joined_rows, first FROM joined_rows
UNION ALL
SELECT line * 2 + 1, 1, @joined_rows, second FROM joined_rows WHERE second <> ''
UNION ALL
SELECT line * 2 + 1, 1, @joined_rows | @unclosed_quote, second_open || '"'
FROM joined_rows WHERE second = '';
DROP TABLE joined_rows;

INSERT INTO @table_consumed SELECT DISTINCT pos // 2 FROM @table_mended;
