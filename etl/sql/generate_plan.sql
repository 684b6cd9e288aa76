-- What becomes of each row of $name: its plant, whether it is loaded, where it stands.
--
-- Plants are drawn for rows whose parents are loaded, so that no row is wrong in two ways. Twenty
-- rows apart, the first eligible rows get one plant of each kind, so that no kind is missing.
CREATE TEMP TABLE plan_$name AS
WITH early AS (
    SELECT id, $place AS place
    FROM raw_$name
    WHERE eligible AND id <= $early_ids AND $can_join
),
drawn AS (
    SELECT
        raw.*, early.place,
        CASE WHEN eligible AND id <> $last_id THEN plant_of_$name(id, place) END AS plant,
        $can_join AS can_join
    FROM raw_$name AS raw LEFT JOIN early USING (id)
),
-- Two rows are joined only with their neighbour of the same parent, which is then itself plain.
neighboured AS (
    SELECT *, lag(plant) OVER line_order AS plant_before, lag(id) OVER line_order AS id_before
    FROM drawn
    WINDOW line_order AS (ORDER BY id)
),
paired AS (
    SELECT
        *, plant = 'joined_rows' AND can_join AND plant_before IS DISTINCT FROM 'joined_rows'
            AND (id > $early_ids OR place % 20 = 0) AS joins
    FROM neighboured
),
settled AS (
    SELECT
        * EXCLUDE (plant, place, can_join, plant_before, joins),
        lag(coalesce(joins, FALSE), 1, FALSE) OVER line_order AS absorbed,
        CASE WHEN absorbed OR (plant = 'joined_rows' AND NOT joins) THEN NULL ELSE plant END
            AS plant
    FROM paired
    WINDOW line_order AS (ORDER BY id)
)
SELECT
    * EXCLUDE (id_before),
    CASE
        WHEN absorbed THEN 4 * id_before
        WHEN plant = 'out_of_order' THEN 4 * id + 13
        ELSE 4 * id
    END AS position,
    FALSE AS superseded,
    eligible AND coalesce(plant NOT IN ($rejected_plants), TRUE) AS loaded
FROM settled
UNION ALL
-- The stale version of a row, up to nine lines before the one that supersedes it.
SELECT
    * EXCLUDE (id_before) REPLACE ($stale_values NULL AS plant),
    4 * (id - (dice(id, 'stale') % 10)::BIGINT) - 1 AS position,
    TRUE AS superseded,
    TRUE AS loaded
FROM settled
WHERE plant = 'duplicate_key';
