-- The typed rows of one file, with what is wrong with a row first.
CREATE TABLE @table_clean AS
SELECT
    pos, lines,
    @values,
    @flags AS flags,
    @fault AS fault
FROM @table_fields;
