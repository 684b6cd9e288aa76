-- One product as the list shows it.
SELECT product_id // @block_ids AS block, product_id, list_row AS product
FROM slice.products
