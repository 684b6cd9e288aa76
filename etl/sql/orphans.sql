-- Children whose parent is neither loaded by these files nor stored leave the table for the rejects.
CREATE TEMP TABLE orphan_rows AS
SELECT child.rowid AS place, pos, lines, @column AS named
FROM @table_clean AS child ANTI JOIN @parents AS parent ON parent.id = child.@column;
INSERT INTO rejects
SELECT
    file_of(pos), line_of(pos), lines, part_of(pos), 'orphan', @column_header, 'no @parent ' || named
FROM orphan_rows;
DELETE FROM @table_clean WHERE rowid IN (SELECT place FROM orphan_rows);
DROP TABLE orphan_rows;
