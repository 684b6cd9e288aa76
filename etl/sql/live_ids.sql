-- The bitmap of each block of products, as products_by_block.live_ids packs it: an SQL bit string
-- begins with the highest bit of its first byte, the bitmap with the lowest.
SELECT
    id // @block_ids AS block,
    CAST(
        bitstring_agg(
            CAST((id % @block_ids) // 8 * 8 + 7 - (id % @block_ids) % 8 AS BIGINT),
            0, @block_ids - 1
        ) AS BLOB
    ) AS live_ids
FROM product_final
GROUP BY block
ORDER BY block
