//! Scripts as the databases' own tools print them.

use documents::convert::{Dialect, Note, Source};
use serde_json::{Value, json};

use super::{imported, options};

fn read(dialect: Dialect, sql: &str) -> (Vec<Value>, Vec<Note>) {
    let (document, converted) = imported(Source::Sql(dialect), sql, &options());
    (document["schema"].as_array().unwrap().clone(), converted.notes)
}

fn names(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["name"].as_str().unwrap()).collect()
}

#[track_caller]
fn noted(notes: &[Note], line: u64, what: &str) {
    assert!(notes.iter().any(|note| note.line == Some(line) && note.what.contains(what)), "{line} {what}: {notes:#?}");
}

/// A script of SQL Server Management Studio.
const MANAGEMENT_STUDIO: &str = "\
USE [shop]
GO
/****** Object:  Table [sales].[item] ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE TABLE [sales].[item](
	[item_id] [int] IDENTITY(1,1) NOT FOR REPLICATION,
	[title] [nvarchar](50) COLLATE Latin1_General_CI_AS NOT NULL,
	[price] [money] NOT NULL,
	[state] [char](1) NULL,
	[total]  AS ([price]*(2)) PERSISTED,
	[seen] [datetime] NULL CONSTRAINT [DF_seen] DEFAULT (getdate()),
	[stamp] [timestamp] NOT NULL,
 CONSTRAINT [PK_item] PRIMARY KEY CLUSTERED 
(
	[item_id] ASC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF) ON [PRIMARY]
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
CREATE TYPE [dbo].[Ids] AS TABLE([id] [int] NOT NULL)
GO
CREATE PROCEDURE dbo.fill AS
BEGIN
  CREATE TABLE #work (a int);
  INSERT INTO #work VALUES (1);
END
GO
CREATE TABLE dbo.plain (id int NOT NULL)
CREATE TABLE dbo.second (id int NOT NULL REFERENCES sales.item (item_id) ON DELETE SET NULL)
GO 5
ALTER TABLE [sales].[item] ADD  CONSTRAINT [DF_state]  DEFAULT ('o') FOR [state]
GO
ALTER TABLE [sales].[item]  WITH CHECK ADD  CONSTRAINT [CK_state] CHECK  (([state]='c' OR [state]='o'))
GO
ALTER TABLE [sales].[item] CHECK CONSTRAINT [CK_state]
GO
EXEC sys.sp_addextendedproperty @name=N'MS_Description', @value=N'What it costs' , @level0type=N'SCHEMA',@level0name=N'sales', @level1type=N'TABLE',@level1name=N'item', @level2type=N'COLUMN',@level2name=N'price'
GO
";

#[test]
fn a_script_of_management_studio() {
    let (objects, notes) = read(Dialect::SqlServer, MANAGEMENT_STUDIO);
    assert_eq!(names(&objects), ["item", "plain", "second"]);
    let columns = objects[0]["properties"].as_array().unwrap();
    assert_eq!(columns.len(), 7);
    let [id, title, price, state, total, seen, stamp] = columns.as_slice() else { panic!() };
    assert_eq!((&id["required"], &id["primaryKey"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&title["physicalType"], &title["logicalTypeOptions"]["maxLength"]),
        (&json!("NVARCHAR(50)"), &json!(50))
    );
    assert_eq!((&price["logicalType"], &price["description"]), (&json!("number"), &json!("What it costs")));
    assert_eq!(state["enum"], json!([{"value": "c"}, {"value": "o"}]));
    assert_eq!(state["customProperties"], json!([{"property": "default", "value": "o"}]));
    assert!(total.get("logicalType").is_none());
    assert_eq!(seen["logicalTypeOptions"], json!({ "timezone": false }));
    assert_eq!(stamp["logicalTypeOptions"], json!({ "format": "binary" }));
    assert_eq!(objects[2]["properties"][0]["relationships"], json!([{ "type": "foreignKey", "to": "item.item_id" }]));
    noted(&notes, 1, "`USE ...`");
    noted(&notes, 9, "IDENTITY(1,1)");
    noted(&notes, 10, "COLLATE");
    noted(&notes, 13, "PERSISTED");
    noted(&notes, 19, "PAD_INDEX");
    noted(&notes, 20, "TEXTIMAGE_ON");
    noted(&notes, 22, "CREATE TYPE");
    noted(&notes, 24, "CREATE PROCEDURE");
}

#[test]
fn a_table_of_redshift() {
    let sql = "\
CREATE TABLE IF NOT EXISTS public.s
(
	id INTEGER NOT NULL  ENCODE az64 DISTKEY
	,at TIMESTAMP WITHOUT TIME ZONE   ENCODE az64
	,n BIGINT IDENTITY(1,1) ENCODE az64
	,PRIMARY KEY (id)
)
DISTSTYLE KEY
 SORTKEY (
	at
	)
;
ALTER TABLE public.s owner to admin;
";
    let (objects, notes) = read(Dialect::Redshift, sql);
    assert_eq!(names(&objects), ["s"]);
    let columns = &objects[0]["properties"];
    assert_eq!((&columns[0]["primaryKey"], &columns[2]["required"]), (&json!(true), &json!(true)));
    assert_eq!(columns[1]["logicalTypeOptions"], json!({ "timezone": false }));
    noted(&notes, 3, "`ENCODE az64 DISTKEY`");
    noted(&notes, 8, "DISTSTYLE KEY SORTKEY");
    noted(&notes, 13, "owner to admin");
}

/// As `DBMS_METADATA.GET_DDL` prints it: no statement has an end.
const METADATA: &str = r#"
PROMPT Don't panic
  CREATE TABLE "S"."L"
   (	"ID" NUMBER(*,0) NOT NULL ENABLE,
	"N" VARCHAR2(50 CHAR) DEFAULT ON NULL 'x' COLLATE "USING_NLS_COMP",
	"D" DATE,
	"T" TIMESTAMP (6) WITH LOCAL TIME ZONE,
	"O" NUMBER(10,2) NOT NULL DISABLE,
	 CONSTRAINT "PK" PRIMARY KEY ("ID")
  USING INDEX PCTFREE 10 INITRANS 2 STORAGE(INITIAL 65536) TABLESPACE "USERS"  ENABLE,
	 CONSTRAINT "CK" CHECK ("O" > 0) ENABLE,
	 SUPPLEMENTAL LOG DATA (ALL) COLUMNS
   ) SEGMENT CREATION IMMEDIATE
  PCTFREE 10 PCTUSED 40 INITRANS 1 NOCOMPRESS LOGGING
  PARTITION BY RANGE ("D")
 (PARTITION "P1"  VALUES LESS THAN (TO_DATE('2020-01-01', 'YYYY-MM-DD')) )

  CREATE OR REPLACE TRIGGER "S"."TR" BEFORE INSERT ON "S"."L" FOR EACH ROW
BEGIN
  :new.d := sysdate; :new.t := systimestamp;
END;
/
   COMMENT ON COLUMN "S"."L"."N" IS 'It''s a name'
   COMMENT ON TABLE "S"."L"  IS 'All'
  ALTER TABLE "S"."L" MODIFY ("D" NOT NULL ENABLE)
"#;

#[test]
fn a_table_of_oracle() {
    let (objects, notes) = read(Dialect::Oracle, METADATA);
    assert_eq!(names(&objects), ["L"]);
    let columns = objects[0]["properties"].as_array().unwrap();
    let [id, n, d, t, o] = columns.as_slice() else { panic!("{columns:#?}") };
    assert_eq!(
        (&id["logicalType"], &id["primaryKey"], &id["required"]),
        (&json!("integer"), &json!(true), &json!(true))
    );
    assert_eq!((&n["description"], &n["customProperties"][0]["value"]), (&json!("It's a name"), &json!("x")));
    assert_eq!((&d["required"], &d["partitioned"]), (&json!(true), &json!(true)));
    assert_eq!(t["logicalTypeOptions"], json!({ "timezone": true }));
    assert_eq!((o.get("required"), &o["logicalTypeOptions"]["exclusiveMinimum"]), (None, &json!(0)));
    assert_eq!(objects[0]["description"], "All");
    for (line, what) in [
        (2, "PROMPT"),
        (5, "COLLATE"),
        (8, "is disabled"),
        (10, "USING INDEX"),
        (12, "SUPPLEMENTAL LOG"),
        (13, "SEGMENT CREATION"),
        (16, "PARTITION"),
        (18, "`CREATE OR"),
    ] {
        noted(&notes, line, what);
    }
}

#[test]
fn tables_of_databricks() {
    let sql = "\
CREATE TABLE c.s.t (
  a INT NOT NULL COMMENT 'key',
  b STRING MASK c.s.f,
  s STRUCT<u: STRING NOT NULL COMMENT 'inner', v: ARRAY<STRUCT<w: BIGINT>>>,
  id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 1),
  CONSTRAINT `p` PRIMARY KEY (`a`))
USING delta
COMMENT 'x'
PARTITIONED BY (b)
CLUSTER BY AUTO
LOCATION 's3://bucket/secret'
TBLPROPERTIES (
  'delta.minReaderVersion' = '1',
  delta.x = 'b')
";
    let (objects, notes) = read(Dialect::Spark, sql);
    let table = &objects[0];
    assert_eq!(
        (&table["name"], &table["physicalName"], &table["description"]),
        (&json!("t"), &json!("c.s.t"), &json!("x"))
    );
    assert_eq!(
        table["customProperties"],
        json!([{"property": "delta.minReaderVersion", "value": "1"}, {"property": "delta.x", "value": "b"}])
    );
    let columns = table["properties"].as_array().unwrap();
    assert_eq!((&columns[0]["description"], &columns[0]["primaryKey"]), (&json!("key"), &json!(true)));
    assert_eq!(columns[1]["partitioned"], true);
    let member = &columns[2]["properties"][0];
    assert_eq!((&member["description"], &member["required"]), (&json!("inner"), &json!(true)));
    assert_eq!(columns[2]["properties"][1]["items"]["properties"][0]["logicalTypeOptions"]["format"], "i64");
    noted(&notes, 3, "`MASK c.s.f`");
    noted(&notes, 5, "GENERATED ALWAYS AS IDENTITY");
    noted(&notes, 10, "CLUSTER BY AUTO");
    assert!(notes.iter().any(|note| note.what.contains("`LOCATION`")), "{notes:?}");
    assert!(!notes.iter().any(|note| note.what.contains("secret")), "{notes:?}");
}

#[test]
fn spark_takes_the_clauses_of_a_table_in_any_order() {
    for tail in [
        "USING DELTA COMMENT 'x' TBLPROPERTIES ('a' = 'b')",
        "USING DELTA TBLPROPERTIES (a = 'b') COMMENT 'x'",
        "COMMENT 'x' TBLPROPERTIES ('a'='b') PARTITIONED BY (a) USING delta",
    ] {
        let (objects, _) = read(Dialect::Spark, &format!("CREATE TABLE t (a INT) {tail};"));
        assert_eq!(objects[0]["description"], "x", "{tail}");
        assert_eq!(objects[0]["customProperties"], json!([{"property": "a", "value": "b"}]), "{tail}");
    }
}

const DUMP: &str = r#"
\restrict kG7
SET statement_timeout = 0;
CREATE FUNCTION public.f() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin create table x (a int); return new; end $$;
CREATE TABLE public.a (
    id integer NOT NULL,
    n bigserial,
    s character varying(9) DEFAULT 'a'::character varying NOT NULL,
    made timestamp with time zone DEFAULT ('now'::text)::timestamp with time zone,
    CONSTRAINT c CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))),
    CONSTRAINT d CHECK (((id >= 1) AND (id <= 9)))
)
PARTITION BY RANGE (made);
CREATE TABLE public.part PARTITION OF public.a FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
ALTER TABLE ONLY public.a ATTACH PARTITION public.part2 FOR VALUES FROM (1) TO (2);
COPY public.a (id, s) FROM stdin;
1	It's
2	CREATE TABLE z (a int);
\.
COMMENT ON COLUMN public.a.id IS 'key';
COMMENT ON INDEX public.i IS 'x';
COMMENT ON CONSTRAINT c ON public.a IS 'x';
CREATE PUBLICATION p FOR TABLE public.a;
ALTER TABLE ONLY public.a ALTER COLUMN n SET DEFAULT nextval('public.q'::regclass);
ALTER TABLE public.a ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME public.q START WITH 1);
ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
ALTER TABLE public.a CLUSTER ON i;
CREATE USER app PASSWORD 'hunter2';
"#;

#[test]
fn a_dump_of_postgres() {
    let (objects, notes) = read(Dialect::Postgres, DUMP);
    assert_eq!(names(&objects), ["a"]);
    let columns = objects[0]["properties"].as_array().unwrap();
    let [id, n, s, made] = columns.as_slice() else { panic!() };
    assert_eq!((&id["primaryKey"], &id["description"]), (&json!(true), &json!("key")));
    assert_eq!((&id["logicalTypeOptions"]["minimum"], &id["logicalTypeOptions"]["maximum"]), (&json!(1), &json!(9)));
    assert_eq!(n["required"], true);
    assert_eq!((&s["enum"], &s["required"]), (&json!([{"value": "a"}, {"value": "b"}]), &json!(true)));
    assert_eq!(s["customProperties"][0]["value"], "a");
    assert_eq!((&made["logicalTypeOptions"]["timezone"], &made["partitioned"]), (&json!(true), &json!(true)));
    for (line, what) in [
        (2, "RESTRICT"),
        (3, "`SET STATEMENT_TIMEOUT"),
        (4, "CREATE FUNCTION"),
        (16, "partition of another table"),
        (17, "ATTACH PARTITION"),
        (18, "rows"),
        (23, "COMMENT ON"),
        (25, "CREATE PUBLICATION"),
        (27, "GENERATED BY DEFAULT AS IDENTITY"),
        (29, "CLUSTER ON"),
        (30, "CREATE USER"),
    ] {
        noted(&notes, line, what);
    }
    assert!(!notes.iter().any(|note| note.what.contains("hunter2")), "{notes:?}");
}

#[test]
fn a_dump_of_mysql() {
    let sql = "\
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE `t` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `key` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'it''s',
  `at` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `kind` enum('a','b') NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u` (`key`(5)),
  KEY `i` (`at`),
  FULLTEXT KEY `f` (`key`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='all';
DELIMITER ;;
CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.at = NOW(); END;;
DELIMITER ;
ALTER TABLE `t` MODIFY `key` varchar(20) NOT NULL, ADD KEY `j` (`id`);
";
    let (objects, notes) = read(Dialect::MySql, sql);
    assert_eq!((names(&objects).as_slice(), &objects[0]["description"]), (["t"].as_slice(), &json!("all")));
    let columns = objects[0]["properties"].as_array().unwrap();
    let [id, key, at, kind] = columns.as_slice() else { panic!("{columns:#?}") };
    assert_eq!((&id["logicalTypeOptions"]["format"], &id["primaryKey"]), (&json!("u32"), &json!(true)));
    assert_eq!((&key["unique"], &key["description"], &key["required"]), (&json!(true), &json!("it's"), &json!(true)));
    assert_eq!(key["logicalTypeOptions"]["maxLength"], 20);
    assert!(key.get("customProperties").is_none(), "{key}");
    assert!(at.get("required").is_none());
    assert_eq!(kind["enum"], json!([{"value": "a"}, {"value": "b"}]));
    for (line, what) in [
        (3, "AUTO_INCREMENT"),
        (4, "CHARACTER SET"),
        (5, "ON UPDATE"),
        (9, "KEY `i`"),
        (10, "FULLTEXT"),
        (11, "ENGINE"),
        (12, "DELIMITER"),
        (15, "ADD KEY"),
    ] {
        noted(&notes, line, what);
    }
}

#[test]
fn a_table_of_clickhouse() {
    let sql = "\
CREATE TABLE db.t ON CLUSTER c
(
    `a` Int8,
    `b` Nullable(String) COMMENT 'maybe' CODEC(ZSTD(1)),
    `c` Array(Nullable(Int32)),
    `m` DateTime MATERIALIZED now(),
    `n` Nested(x UInt8, y String),
    INDEX i a TYPE minmax GRANULARITY 1
)
ENGINE = S3('https://bucket/x', 'key', 'hunter2')
PARTITION BY toYYYYMM(m)
PRIMARY KEY a
ORDER BY (a, m)
SETTINGS index_granularity = 8192
COMMENT 'all'
";
    let (objects, notes) = read(Dialect::ClickHouse, sql);
    let table = &objects[0];
    assert_eq!(table["description"], "all");
    let columns = table["properties"].as_array().unwrap();
    let [a, b, c, m, n] = columns.as_slice() else { panic!("{columns:#?}") };
    assert_eq!((&a["required"], a.get("primaryKey")), (&json!(true), None));
    assert_eq!((b.get("required"), &b["description"]), (None, &json!("maybe")));
    assert_eq!((&c["required"], c["items"].get("required")), (&json!(true), None));
    assert_eq!(m["required"], true);
    assert_eq!(n["items"]["properties"][1]["logicalType"], "string");
    for (line, what) in [
        (1, "ON CLUSTER"),
        (4, "CODEC"),
        (6, "MATERIALIZED now()"),
        (8, "INDEX"),
        (10, "ENGINE"),
        (11, "toYYYYMM"),
        (12, "ORDER BY"),
    ] {
        noted(&notes, line, what);
    }
    assert!(!notes.iter().any(|note| note.what.contains("hunter2")), "{notes:?}");
}

#[test]
fn tables_of_bigquery() {
    let sql = "\
CREATE TABLE `my-project.d.t`
(
  a INT64 NOT NULL OPTIONS(description='x', rounding_mode='R'),
  s STRUCT<u STRING OPTIONS(description='y'), v ARRAY<INT64>>,
  at TIMESTAMP DEFAULT CURRENT_TIMESTAMP(),
  PRIMARY KEY (a) NOT ENFORCED
)
PARTITION BY DATE(at)
CLUSTER BY a
OPTIONS(description=\"all\", labels=[(\"k\", \"v\")]);
CREATE TABLE my-project.d.u (d DATE) PARTITION BY d;
";
    let (objects, notes) = read(Dialect::BigQuery, sql);
    assert_eq!(names(&objects), ["t", "u"]);
    assert_eq!(objects[0]["physicalName"], "my-project.d.t");
    assert_eq!(objects[1]["physicalName"], "my-project.d.u");
    assert_eq!(objects[0]["description"], "all");
    let columns = &objects[0]["properties"];
    assert_eq!((&columns[0]["description"], &columns[0]["primaryKey"]), (&json!("x"), &json!(true)));
    assert_eq!(columns[1]["properties"][0]["description"], "y");
    assert_eq!(objects[1]["properties"][0]["partitioned"], true);
    noted(&notes, 8, "`PARTITION BY DATE(at)` is not a list of columns");
    noted(&notes, 9, "CLUSTER BY a");
    assert!(notes.iter().any(|note| note.path == "t.a" && note.what.contains("rounding_mode")), "{notes:#?}");
}

#[test]
fn tables_of_snowflake_sqlite_and_duckdb() {
    let sql = "\
create or replace TRANSIENT TABLE DB.S.T (
	ID NUMBER(38,0) NOT NULL autoincrement start 1 increment 1 noorder,
	V VARIANT,
	N VARCHAR(16777216) WITH MASKING POLICY P COMMENT 'it',
	unique (N)
)CLUSTER BY (ID) COMMENT='all' DATA_RETENTION_TIME_IN_DAYS = 1;
CREATE STREAM st ON TABLE DB.S.T;
";
    let (objects, notes) = read(Dialect::Snowflake, sql);
    assert_eq!((names(&objects).as_slice(), &objects[0]["description"]), (["T"].as_slice(), &json!("all")));
    assert_eq!(
        (&objects[0]["properties"][2]["description"], &objects[0]["properties"][2]["unique"]),
        (&json!("it"), &json!(true))
    );
    noted(&notes, 2, "autoincrement");
    noted(&notes, 4, "MASKING POLICY");
    noted(&notes, 6, "CLUSTER BY");
    noted(&notes, 7, "CREATE STREAM");

    let sql = "CREATE TABLE \"t\" (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b PRIMARY KEY, c INT DEFAULT (1+1)) WITHOUT ROWID, STRICT;";
    let (objects, notes) = read(Dialect::Sqlite, sql);
    let columns = &objects[0]["properties"];
    assert_eq!((&columns[0]["required"], columns[1].get("logicalType")), (&json!(true), None));
    assert_eq!((&columns[2]["primaryKey"], &columns[3]["logicalTypeOptions"]["format"]), (&json!(true), &json!("i64")));
    noted(&notes, 1, "WITHOUT ROWID");

    let sql = "CREATE TABLE t(a STRUCT(x INTEGER, y VARCHAR[]), m MAP(VARCHAR, DOUBLE), e ENUM('p', 'q'), u UNION(n INTEGER, s VARCHAR));";
    let (objects, _) = read(Dialect::DuckDb, sql);
    let columns = &objects[0]["properties"];
    assert_eq!(columns[0]["properties"][1]["items"]["logicalType"], "string");
    assert_eq!(columns[1]["map"]["value"]["logicalTypeOptions"]["format"], "f64");
    assert_eq!(columns[2]["enum"], json!([{"value": "p"}, {"value": "q"}]));
    assert!(columns[3].get("logicalType").is_none());
}

#[test]
fn a_table_that_cannot_be_read_is_refused_with_its_place() {
    let refused = |dialect: Dialect, sql: &str| {
        let problem = documents::convert::import(Source::Sql(dialect), sql, &options()).unwrap_err().remove(0);
        (problem.line, problem.column, problem.message)
    };
    let (line, column, message) = refused(Dialect::Postgres, "CREATE TABLE a (\n  x int,\n  y !\n);");
    assert_eq!((line, column), (3, 5), "{message}");
    let (line, column, message) = refused(Dialect::Postgres, "SELECT 1;\nCREATE TABLE a (x int");
    assert_eq!((line, column), (2, 16), "{message}");
    let (line, _, message) = refused(Dialect::Spark, "CREATE TABLE a (\n  x MAP<INT>)");
    assert_eq!(line, 2, "{message}");
}

/// Statements that create no table never refuse the others, whatever they hold.
#[test]
fn foreign_statements_are_noted_with_their_line() {
    for (dialect, statement) in [
        (Dialect::Postgres, "COMMENT ON INDEX i IS 'x'"),
        (Dialect::Postgres, "COMMENT ON TABLE other IS 'x'"),
        (Dialect::Postgres, "ALTER TABLE other ADD COLUMN b int"),
        (Dialect::Postgres, "ALTER TABLE a ENABLE ROW LEVEL SECURITY"),
        (Dialect::Postgres, "CREATE PUBLICATION p FOR TABLE a"),
        (Dialect::Postgres, "CREATE INDEX i ON a USING btree (lower((x)::text) ] ("),
        (Dialect::Snowflake, "CREATE STREAM s ON TABLE a"),
        (Dialect::SqlServer, "CREATE TYPE t AS TABLE (id int)"),
        (Dialect::Oracle, "GRANT SELECT ON a TO b"),
        (Dialect::BigQuery, "CREATE TABLE FUNCTION d.f(x INT64) AS SELECT 1"),
        (Dialect::Spark, "OPTIMIZE a ZORDER BY (id)"),
    ] {
        let (objects, notes) =
            read(dialect, &format!("CREATE TABLE a (id int);\n{statement};\nCREATE TABLE z (id int);"));
        assert_eq!(names(&objects), ["a", "z"], "{statement}");
        assert!(notes.iter().any(|note| note.line == Some(2)), "{statement}: {notes:?}");
    }
}

/// Lines for the client are none inside of texts, names and comments.
#[test]
fn texts_of_several_lines_are_kept() {
    let lines = "one\n\\two\nCOPY x FROM stdin;\nREM three\nDELIMITER ;;\nGO";
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Oracle, Dialect::SqlServer] {
        let text = if dialect == Dialect::MySql { lines.replace('\\', "\\\\") } else { lines.to_owned() };
        let sql = format!(
            "/* it's\nCOPY y FROM stdin;\n*/\nCREATE TABLE t (a int); -- don't\nCOMMENT ON TABLE t IS 'it''s {text}';\nCREATE TABLE u (a int);"
        );
        let (objects, _) = read(dialect, &sql);
        assert_eq!(names(&objects), ["t", "u"], "{dialect:?}");
        assert_eq!(objects[0]["description"], format!("it's {lines}"), "{dialect:?}");
    }
}
