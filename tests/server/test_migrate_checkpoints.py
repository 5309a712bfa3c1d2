"""The checkpoints that version 0.1 wrote into Postgres get the new names, once."""

import json
import lzma
import subprocess
from collections.abc import Iterator

import pytest

from personaagent.memory.migrate_checkpoints import RENAMED_CHANNELS
from tests.support.postgres import postgres, postgres_folder, sql
from tests.support.postgres_server import PYTHON, need_postgres
from tests.support.written import FIXTURE

MIGRATE = """
import asyncio, sys
from personaagent.memory.migrate_checkpoints import migrate_postgres

async def both():
    await asyncio.gather(*(migrate_postgres(sys.argv[1]) for _ in range(2)))

asyncio.run(both())
"""
NAMES = """
SELECT DISTINCT channel FROM checkpoint_writes UNION SELECT DISTINCT channel FROM checkpoint_blobs
UNION SELECT jsonb_object_keys(checkpoint -> 'channel_values') FROM checkpoints
UNION SELECT jsonb_object_keys(checkpoint -> 'channel_versions') FROM checkpoints
UNION SELECT jsonb_array_elements_text(checkpoint -> 'updated_channels') FROM checkpoints
"""
"""All channels that are named anywhere."""
ROWS = """
SELECT json_agg(each ORDER BY each::text) FROM (
    SELECT 'checkpoint' AS of, checkpoint_id, checkpoint::text FROM checkpoints
    UNION SELECT channel, checkpoint_id, task_id || idx::text FROM checkpoint_writes
    UNION SELECT channel, thread_id, version FROM checkpoint_blobs
) AS each
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    need_postgres()
    with postgres() as address:
        yield address


def migrate(database: str) -> None:
    """Two at once, in the environment that has psycopg."""
    subprocess.run([PYTHON, "-c", MIGRATE, database], check=True)


def test_a_database_in_which_nothing_was_written_and_one_of_version_0_1_are_migrated_once(
    database: str,
) -> None:
    migrate(database)
    assert sql(database, "SELECT * FROM personaagent_checkpoints") == "1"
    sql(database, "DROP TABLE personaagent_checkpoints")
    subprocess.run(
        [f"{postgres_folder()}/psql", database, "-q", "-v", "ON_ERROR_STOP=1"],
        input=lzma.decompress((FIXTURE / "postgres.sql.xz").read_bytes()),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    before = {*sql(database, NAMES).split()}
    rows = sql(database, ROWS)
    assert before >= RENAMED_CHANNELS.keys()
    migrate(database)
    assert {*sql(database, NAMES).split()} == {RENAMED_CHANNELS.get(name, name) for name in before}
    assert sql(database, "SELECT * FROM personaagent_checkpoints") == "1"
    renamed = sql(database, ROWS)
    assert renamed != rows
    for old, new in RENAMED_CHANNELS.items():
        rows = rows.replace(f'"{old}"', f'"{new}"').replace(f'\\"{old}\\"', f'\\"{new}\\"')
    assert sorted(map(_parsed, json.loads(rows))) == sorted(map(_parsed, json.loads(renamed)))
    migrate(database)
    assert sql(database, ROWS) == renamed


def _parsed(row: dict[str, str]) -> str:
    """The row as text in which neither the order of keys nor that of names tells."""
    if row["of"] != "checkpoint":
        return json.dumps(row)
    checkpoint = json.loads(row["checkpoint"])
    checkpoint["updated_channels"] = sorted(checkpoint.get("updated_channels") or [])
    return json.dumps(checkpoint, sort_keys=True)
