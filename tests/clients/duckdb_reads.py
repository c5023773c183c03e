"""What DuckDB reads of an audit database, and of an export of it: prints both as JSON."""

import json
import sys

import duckdb
import duckdb_extensions

database, parquet = sys.argv[1:]
# As a package; by itself, DuckDB fetches the extension when it attaches the first file.
duckdb_extensions.import_extension("sqlite_scanner")
connection = duckdb.connect()
connection.execute("LOAD sqlite_scanner")
connection.execute(f"ATTACH '{database}' AS audit (TYPE sqlite, READ_ONLY)")


def rows(query):
    return connection.execute(query).fetchall()


print(
    json.dumps(
        {
            "attached": rows(
                "SELECT subject, outcome, request_bytes > 0 FROM audit.records "
                "WHERE method = 'tools/call' ORDER BY seq"
            ),
            "events": rows(
                "SELECT * FROM sqlite_query('audit', $$SELECT capability_name, content_text "
                "FROM events WHERE capability_type = 'tool' ORDER BY 1, 2$$)"
            ),
            "exported": rows(
                f"SELECT subject, outcome, len(findings) FROM '{parquet}' "
                "WHERE method = 'tools/call' ORDER BY seq"
            ),
        }
    )
)
