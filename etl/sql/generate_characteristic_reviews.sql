-- Every review rates every characteristic of its product.
CREATE TEMP TABLE raw_characteristic_reviews AS
WITH expanded AS (
    SELECT
        id AS review_id, loaded, first_characteristic_reviews + turn_in_parent AS ordinal,
        first_characteristics + turn_in_parent AS characteristic_ordinal
    FROM (
        SELECT *, unnest(range(n_characteristics)) AS turn_in_parent
        FROM plan_reviews WHERE NOT superseded
    )
)
SELECT
    spread_id(expanded.ordinal, 'characteristic_reviews') AS id,
    spread_id(characteristic_ordinal, 'characteristics') AS characteristic_id,
    review_id,
    1 + (dice(expanded.ordinal, 'value') % 5)::BIGINT AS value,
    expanded.loaded AND $characteristic_is_loaded AS eligible
FROM expanded $with_characteristics;
