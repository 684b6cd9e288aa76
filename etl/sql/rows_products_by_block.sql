-- One product as the list shows it.
SELECT product_id // @block_ids AS block, product_id, opening || '}' AS product
FROM slice_products
