-- One look at every row and the one before it, in the order in which they are stored: a window that
-- streams. Where ids only rise no two rows have one key; where places do, this is the files' order.
CREATE TEMP TABLE steps AS
SELECT
    file_of(pos) AS file,
    count(*) AS rows,
    count(*) FILTER (WHERE id < id_before AND file_of(pos_before) = file_of(pos)) AS descents,
    coalesce(bool_and(id > id_before), true) AS ids_rise,
    coalesce(bool_and(pos > pos_before), true) AS places_rise
FROM (
    SELECT pos, id, lag(pos) OVER () AS pos_before, lag(id) OVER () AS id_before FROM @table_clean
)
GROUP BY ALL;
SELECT coalesce(bool_and(ids_rise), true), coalesce(bool_and(places_rise), true) FROM steps;
