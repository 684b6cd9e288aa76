-- Which product each row belongs to, by its parent.
CREATE TABLE @table_owned AS
SELECT child.* EXCLUDE (fault), parent.product_id
FROM @table_clean AS child JOIN @parents AS parent ON parent.id = child.@column;
DROP TABLE @table_clean;
ALTER TABLE @table_owned RENAME TO @table_clean;
UPDATE stored_@table
SET product_id = parent.product_id
FROM @parents AS parent
WHERE parent.id = stored_@table.@column AND parent.product_id <> stored_@table.product_id;
