-- Rows of cart.csv, and empty ones (product 0) where a row went to another session.
SELECT user_session, id AS cart_id, active, product_id
FROM cart_final
WHERE user_session BETWEEN @low AND @high
UNION ALL
SELECT user_session, id, false, 0
FROM placed_cart
WHERE user_session BETWEEN @low AND @high
    AND NOT EXISTS (
        SELECT 1 FROM cart_final AS here
        WHERE here.id = placed_cart.id AND here.user_session = placed_cart.user_session
    )
