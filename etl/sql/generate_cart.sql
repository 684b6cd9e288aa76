CREATE TEMP TABLE raw_cart AS
SELECT
    spread_id(first_cart + turn_in_parent, 'cart') AS id,
    1000 + (dice(first_cart + turn_in_parent, 'session') % 90000)::BIGINT AS user_session,
    id AS product_id,
    dice(first_cart + turn_in_parent, 'active') % 5 > 0 AS active,
    loaded AS eligible
FROM (
    SELECT *, unnest(range(n_cart)) AS turn_in_parent FROM plan_product WHERE NOT superseded
);
