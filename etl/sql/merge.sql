-- The files' rows win by primary key over stored ones; the union of both is what is rendered.
DELETE FROM stored_@table WHERE id IN (SELECT id FROM @table_clean);
CREATE VIEW @table_final AS
SELECT @columns, pos FROM @table_clean
UNION ALL SELECT @columns, pos FROM stored_@table;
