"""fsspec's own suite of what every file system must do."""

import pytest

from fsspec.tests import abstract
from supermega.fsspec import MegaFileSystem
from supermega.testing import EMAIL, PASSWORD, Server

@pytest.fixture(scope="module")
def module_server():
    with Server() as server:
        yield server

class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, module_server):
        return MegaFileSystem(email=EMAIL, password=PASSWORD, api_url=module_server.url)

    @pytest.fixture
    def fs_path(self, fs):
        if not fs.exists("/suite"):
            fs.mkdir("/suite")
        return "/suite"

class TestCopy(abstract.AbstractCopyTests, Fixtures):
    pass

class TestGet(abstract.AbstractGetTests, Fixtures):
    pass

class TestPut(abstract.AbstractPutTests, Fixtures):
    pass

class TestOpen(abstract.AbstractOpenTests, Fixtures):
    pass

class TestPipe(abstract.AbstractPipeTests, Fixtures):
    pass
