-- The names of one product differ: they are neighbours in the list.
CREATE TEMP TABLE raw_characteristics AS
SELECT
    spread_id(first_characteristics + turn_in_parent, 'characteristics') AS id,
    id AS product_id,
    pick(characteristic_names(), turn(dice(ordinal, 'characteristics'), 1) + turn_in_parent) AS name,
    loaded AS eligible, first_characteristics + turn_in_parent AS ordinal
FROM (
    SELECT *, unnest(range(n_characteristics)) AS turn_in_parent
    FROM plan_product WHERE NOT superseded
);
