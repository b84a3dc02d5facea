-- id: orders
-- name: Orders | <all>
-- version: 1.2.0
-- status: active
-- domain: sales

CREATE TABLE "orders" (
  "id" bigint NOT NULL,
  "state" text NOT NULL,
  "total amount" numeric(12,2),
  "placed_at" timestamptz NOT NULL,
  "customer" uuid,
  "lines" jsonb,
  "labels" jsonb,
  PRIMARY KEY ("id"),
  CHECK ("state" IN ('open', 'closed')),
  CHECK ("total amount" >= 0)
);
COMMENT ON TABLE "orders" IS 'One row per order; it''s complete';
COMMENT ON COLUMN "orders"."id" IS 'The key';

CREATE TABLE "customers" (
  "id" uuid NOT NULL,
  "name" text UNIQUE,
  PRIMARY KEY ("id")
);
ALTER TABLE "orders" ADD FOREIGN KEY ("customer") REFERENCES "customers" ("id");
