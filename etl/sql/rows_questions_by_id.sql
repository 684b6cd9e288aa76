-- Which product a question belongs to.
SELECT id // @id_block_ids AS block, id AS question_id, product_id
FROM slice_questions
