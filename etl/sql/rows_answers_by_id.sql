-- Which product and question an answer belongs to.
SELECT id // @id_block_ids AS block, id AS answer_id, product_id, question_id
FROM slice_answers
