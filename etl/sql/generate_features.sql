CREATE TEMP TABLE raw_features AS
SELECT
    spread_id(first_features + turn_in_parent, 'features') AS id,
    id AS product_id,
    feature_names()[1 + (dice(ordinal, 'feature') % 9 + 2 * turn_in_parent)::INTEGER % 9]
        AS feature,
    CASE WHEN dice(ordinal, 'value') % 100 >= 10 + 3 * turn_in_parent
        THEN pick(feature_values(), turn(dice(ordinal, 'value'), 1) + turn_in_parent) END AS value,
    loaded AS eligible
FROM (
    SELECT *, unnest(range(n_features)) AS turn_in_parent FROM plan_product WHERE NOT superseded
);
