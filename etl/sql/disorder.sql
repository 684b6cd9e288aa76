-- Rows that were mended stand behind the others: sorted, every row is compared with the one before.
UPDATE steps SET descents = found.descents
FROM (
    SELECT file_of(pos) AS file, count(*) AS descents
    FROM (
        SELECT
            pos, id < lag(id) OVER (ORDER BY pos) AS is_smaller,
            lag(pos) OVER (ORDER BY pos) AS pos_before
        FROM @table_clean
    )
    WHERE is_smaller AND file_of(pos_before) = file_of(pos)
    GROUP BY ALL
) AS found
WHERE found.file = steps.file;
