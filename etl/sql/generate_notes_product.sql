SELECT 'childless' AS note, count(*) AS rows
FROM plan_product AS product
WHERE
    loaded AND NOT superseded
    AND NOT EXISTS (
        SELECT 1 FROM plan_features AS child
        WHERE child.loaded AND NOT child.superseded AND child.product_id = product.id
    )
    AND NOT EXISTS (
        SELECT 1 FROM plan_styles AS child
        WHERE child.loaded AND NOT child.superseded AND child."productId" = product.id
    )
    AND NOT EXISTS (
        SELECT 1 FROM plan_related AS child
        WHERE child.loaded AND NOT child.superseded AND child.current_product_id = product.id
    );
