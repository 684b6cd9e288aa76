-- One row in 90 relates a product to itself, one in 70 says again what the row before it said.
CREATE TEMP TABLE raw_related AS
WITH expanded AS (
    SELECT
        id, loaded, first_related + turn_in_parent AS ordinal, turn_in_parent
    FROM (
        SELECT *, unnest(range(n_related)) AS turn_in_parent FROM plan_product WHERE NOT superseded
    )
),
chosen AS (
    SELECT
        *,
        CASE WHEN ordinal % 70 = 29 AND turn_in_parent > 0 THEN ordinal - 1 ELSE ordinal END
            AS source
    FROM expanded
),
aimed AS (
    SELECT
        * EXCLUDE (id), id AS current_product_id,
        CASE
            WHEN source % 90 = 53 THEN id
            ELSE spread_id(
                1 + (dice(source, 'related') % getvariable('products'))::BIGINT, 'product'
            )
        END AS related_product_id
    FROM chosen
)
SELECT
    spread_id(ordinal, 'related') AS id,
    current_product_id, related_product_id,
    loaded AND product_is_loaded(related_product_id) AS eligible
FROM aimed;
