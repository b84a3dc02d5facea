CREATE TABLE lake.sales.orders (
  id BIGINT NOT NULL COMMENT 'It\'s the key',
  at TIMESTAMP_NTZ,
  day DATE,
  address STRUCT<city: STRING COMMENT 'Where', zip: STRING NOT NULL>,
  lines ARRAY<STRUCT<sku STRING, n INT>>,
  tags MAP<STRING, ARRAY<INT>>
) USING DELTA
PARTITIONED BY (day)
COMMENT "All orders";
