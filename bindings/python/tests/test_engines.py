"""Data tools read and write through the file system, and fetch no more than they need."""

import pytest

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
duckdb = pytest.importorskip("duckdb")
dataset = pytest.importorskip("pyarrow.dataset")
parquet = pytest.importorskip("pyarrow.parquet")
import pyarrow  # noqa: E402
from supermega.fsspec import MegaFileSystem  # noqa: E402
from supermega.testing import EMAIL, PASSWORD  # noqa: E402

ROWS = 400_000
PATH = "/data/table.parquet"
OPTIONS = {"email": EMAIL, "password": PASSWORD}


@pytest.fixture
def fs(mega_server):
    fs = MegaFileSystem(**OPTIONS, api_url=mega_server.url)
    # The wide column lies before and behind the one that is asked for.
    wide = [f"{number * 7919 % 1_000_003:032d}" for number in range(ROWS)]
    table = pyarrow.table({"before": wide, "price": list(range(ROWS)), "behind": wide})
    with fs.open(PATH, "wb") as file:
        parquet.write_table(table, file, use_dictionary=False, compression="none", row_group_size=ROWS)
    assert fs.size(PATH) > 25_000_000
    mega_server.clear_requests()
    return fs


def fetched(server, size):
    """How many bytes were asked for, and whether each request was for a range within the file."""
    asked = [(one.start, one.end) for one in server.requests if one.kind == "download"]
    assert asked
    assert all(end is not None and 0 <= start < end <= size for start, end in asked)
    return sum(end - start for start, end in asked)


def test_pandas_projects_columns(fs, mega_server):
    frame = pandas.read_parquet(f"mega://{PATH}", columns=["price"], storage_options={**OPTIONS, "api_url": mega_server.url})
    assert frame["price"].sum() == ROWS * (ROWS - 1) // 2
    assert fetched(mega_server, fs.size(PATH)) < 8_000_000


def test_polars_projects_columns(fs, mega_server):
    frame = polars.scan_pyarrow_dataset(dataset.dataset(PATH, filesystem=fs)).select("price").collect()
    assert frame["price"].sum() == ROWS * (ROWS - 1) // 2
    assert fetched(mega_server, fs.size(PATH)) < 8_000_000


def test_duckdb_projects_columns(fs, mega_server):
    database = duckdb.connect()
    database.register_filesystem(fs)
    [(total,)] = database.sql(f"SELECT sum(price) FROM read_parquet('mega://{PATH}')").fetchall()
    assert total == ROWS * (ROWS - 1) // 2
    assert fetched(mega_server, fs.size(PATH)) < 8_000_000


def test_frames_are_written(fs, mega_server):
    options = {**OPTIONS, "api_url": mega_server.url}
    pandas.DataFrame({"a": [1, 2]}).to_csv("mega:///out/pandas.csv", index=False, storage_options=options)
    assert fs.cat("/out/pandas.csv") == b"a\n1\n2\n"
    with fs.open("/out/polars.parquet", "wb") as file:
        polars.DataFrame({"a": [1, 2]}).write_parquet(file)
    assert parquet.read_table("/out/polars.parquet", filesystem=fs).to_pydict() == {"a": [1, 2]}
    # A frame is read from an open file, too.
    with fs.open("/out/polars.parquet", "rb") as file:
        assert polars.read_parquet(file)["a"].to_list() == [1, 2]


def test_dask_reads_a_data_set_on_two_processes(mega_server):
    distributed = pytest.importorskip("distributed")
    frames = pytest.importorskip("dask.dataframe")
    options = {**OPTIONS, "api_url": mega_server.url}
    fs = MegaFileSystem(**options)
    for number in range(50):
        rows = "".join(f"{number},{row}\n" for row in range(100))
        fs.pipe(f"/set/{number:02d}.csv", f"part,value\n{rows}".encode())
    # What workers get is the session: the password stays here.
    given = {"session": fs._session.save(), "api_url": mega_server.url}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster):
            frame = frames.read_csv("mega:///set/*.csv", storage_options=given)
            assert frame.npartitions == 50
            result = frame.groupby("part")["value"].sum().reset_index()
            result.to_parquet("mega:///result", storage_options=given)
    written = parquet.read_table("/result", filesystem=fs).to_pydict()
    assert sorted(written["part"]) == list(range(50))
    assert set(written["value"]) == {4950}
