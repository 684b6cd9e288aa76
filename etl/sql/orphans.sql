-- Children whose parent is neither loaded by these files nor stored leave the table for the rejects.
INSERT INTO rejects
SELECT
    file_of(pos), line_of(pos), lines, part_of(pos), 'orphan', @column_header,
    'no @parent ' || @column
FROM @table_clean
WHERE NOT EXISTS (SELECT 1 FROM @parents AS parent WHERE parent.id = @table_clean.@column);
DELETE FROM @table_clean
WHERE NOT EXISTS (SELECT 1 FROM @parents AS parent WHERE parent.id = @table_clean.@column);
