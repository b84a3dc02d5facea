-- id: orders
-- name: Orders | <all>
-- version: 1.2.0
-- status: active
-- domain: sales

CREATE TABLE `orders` (
  `id` BIGINT NOT NULL COMMENT 'The key',
  `state` STRING NOT NULL,
  `total amount` DECIMAL(12,2),
  `placed_at` TIMESTAMP NOT NULL,
  `customer` STRING,
  `lines` ARRAY<STRUCT<`sku` VARCHAR(20), `n` INT>>,
  `labels` MAP<STRING, STRING>,
  PRIMARY KEY (`id`)
)
COMMENT 'One row per order; it\u0027s complete';
ALTER TABLE `orders` ADD CONSTRAINT `check_1` CHECK (`state` IN ('open', 'closed'));
ALTER TABLE `orders` ADD CONSTRAINT `check_2` CHECK (`total amount` >= 0);

CREATE TABLE `customers` (
  `id` STRING NOT NULL,
  `name` STRING,
  PRIMARY KEY (`id`)
);
ALTER TABLE `orders` ADD FOREIGN KEY (`customer`) REFERENCES `customers` (`id`);
