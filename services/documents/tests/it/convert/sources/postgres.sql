CREATE SCHEMA sales;
CREATE TABLE sales.customers (id uuid PRIMARY KEY, name varchar(50) UNIQUE);
CREATE TABLE sales.orders (
  id bigint GENERATED ALWAYS AS IDENTITY,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  amount numeric(10,2) CHECK (amount >= 0 AND amount < 1000.5),
  code char(3) CHECK (code ~ '^[A-Z]+$'),
  name text CHECK (length(name) <= 40),
  placed_at timestamp with time zone DEFAULT now(),
  day date,
  customer uuid REFERENCES sales.customers,
  tags text[],
  payload jsonb,
  PRIMARY KEY (id, day),
  UNIQUE (state, day),
  CHECK (day BETWEEN '2020-01-01' AND '2030-01-01'),
  CHECK (amount <> id)
) PARTITION BY RANGE (day);
COMMENT ON TABLE sales.orders IS 'It''s all orders';
COMMENT ON COLUMN sales.orders.id IS 'The key';
ALTER TABLE ONLY sales.customers ADD CONSTRAINT c CHECK (char_length(name) > 1);
