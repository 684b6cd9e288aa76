-- Slices of one family's keys, rendered one after the other so that memory holds one of them.
CREATE TABLE @family_slices AS
SELECT min(id) AS low, max(id) AS high
FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) // @slice_members AS slice
    FROM (SELECT DISTINCT id FROM (@slice_ids) AS keys (id))
)
GROUP BY slice
ORDER BY low;
