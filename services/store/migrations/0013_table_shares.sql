-- The rights of the products that are bound to one table. Only tables with several products have rows here, one for each
-- product; `tables.shared` says which tables these are, so that the others cost no query. Without `owns` and without
-- `consented_by` a right has ended.
ALTER TABLE tables ADD COLUMN shared {bool} NOT NULL DEFAULT FALSE;

CREATE TABLE table_shares (
    table_id {id} NOT NULL REFERENCES tables (id),
    product_id {id} NOT NULL REFERENCES products (id),
    owns {bool} NOT NULL,
    consented_by {id},
    consented_at {int},
    PRIMARY KEY (table_id, product_id)
) {table};
CREATE INDEX table_shares_of_product ON table_shares (product_id);

-- What was shared before: the table belongs to the product of its first binding. For the others the publisher of the
-- first version that was bound counts as the one who consented; where they are no owner, the consent does not count.
INSERT INTO table_shares (table_id, product_id, owns)
SELECT bindings.table_id, contracts.product_id, FALSE
FROM bindings
JOIN contracts ON contracts.id = bindings.contract_id
WHERE bindings.table_id IN (
    SELECT every.table_id
    FROM bindings AS every
    JOIN contracts AS bound ON bound.id = every.contract_id
    GROUP BY every.table_id
    HAVING COUNT(DISTINCT bound.product_id) > 1
)
GROUP BY bindings.table_id, contracts.product_id;

UPDATE table_shares
SET owns = TRUE
WHERE product_id = (
    SELECT contracts.product_id
    FROM bindings
    JOIN contracts ON contracts.id = bindings.contract_id
    WHERE bindings.table_id = table_shares.table_id
    ORDER BY bindings.id
    LIMIT 1
);

UPDATE table_shares
SET
    consented_by = (
        SELECT contract_versions.published_by
        FROM contract_versions
        JOIN contracts ON contracts.id = contract_versions.contract_id
        JOIN bindings ON bindings.contract_id = contracts.id AND bindings.major = contract_versions.major
        WHERE contracts.product_id = table_shares.product_id AND bindings.table_id = table_shares.table_id
        ORDER BY contract_versions.published_at, contract_versions.id
        LIMIT 1
    ),
    consented_at = (
        SELECT contract_versions.published_at
        FROM contract_versions
        JOIN contracts ON contracts.id = contract_versions.contract_id
        JOIN bindings ON bindings.contract_id = contracts.id AND bindings.major = contract_versions.major
        WHERE contracts.product_id = table_shares.product_id AND bindings.table_id = table_shares.table_id
        ORDER BY contract_versions.published_at, contract_versions.id
        LIMIT 1
    )
WHERE NOT owns;

UPDATE tables SET shared = TRUE WHERE id IN (SELECT table_id FROM table_shares);
