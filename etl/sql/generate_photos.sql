-- One photo in 80 has no addresses at all, as in the legacy files.
CREATE TEMP TABLE raw_photos AS
WITH expanded AS (
    SELECT
        id AS "styleId", loaded AS eligible, n_photos, first_photos,
        unnest(range(n_photos)) AS turn_in_parent
    FROM plan_styles WHERE NOT superseded
),
rolled AS (
    SELECT
        *, first_photos + turn_in_parent AS ordinal,
        dice(first_photos + turn_in_parent, 'photo') AS roll
    FROM expanded
)
SELECT
    spread_id(ordinal, 'photos') AS id,
    "styleId",
    CASE WHEN ordinal % 80 <> 37 THEN photo_address(roll, '1600') END AS url,
    CASE WHEN ordinal % 80 <> 37 THEN photo_address(roll, '300') END AS thumbnail_url,
    eligible, ordinal, turn_in_parent + 1 < n_photos AS has_next
FROM rolled;
