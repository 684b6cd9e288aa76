-- The typed rows of one file, with what is wrong with a row first.
INSERT INTO @table_clean BY NAME
SELECT
    pos, lines,
    @values,
    @flags AS flags,
    @fault AS fault
FROM @table_fields;
