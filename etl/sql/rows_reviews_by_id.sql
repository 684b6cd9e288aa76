-- Which product a review belongs to.
SELECT id // @id_block_ids AS block, id AS review_id, product_id
FROM slice_reviews
