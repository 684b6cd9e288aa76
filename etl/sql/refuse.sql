-- Rows with a field that cannot be read leave the table for the rejects.
INSERT INTO rejects
SELECT
    file_of(pos), line_of(pos), lines, part_of(pos), fault[1], fault[2],
    CASE fault[1]
        WHEN 'invalid_integer' THEN 'no whole number in the range of this column: '
        WHEN 'invalid_price' THEN 'no price in whole units or with two decimals: '
        WHEN 'invalid_boolean' THEN 'none of 0, 1, f, t, false, true: '
        WHEN 'invalid_date' THEN 'no date in milliseconds since 1970, nor in ISO 8601: '
        WHEN 'rating_out_of_range' THEN 'not from 1 to 5: '
        WHEN 'value_out_of_range' THEN 'not from 1 to 5: '
    END || left(fault[3], 200)
FROM @table_clean
WHERE fault IS NOT NULL;
DELETE FROM @table_clean WHERE fault IS NOT NULL;
