-- Without dirt every row is loaded and stands where it was made.
CREATE TEMP VIEW plan_$name AS
SELECT *, NULL::VARCHAR AS plant, FALSE AS superseded, TRUE AS loaded
FROM raw_$name;
