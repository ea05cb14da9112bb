"""The clients under one set of verbs. Remote paths begin with a slash; `None` for a verb says that the
client has none such."""

from dataclasses import dataclass

PASSWORD = "pass word & more"


@dataclass(frozen=True)
class Account:
    """Where a client logs in, and as whom."""

    url: str
    email: str = "me@example.org"
    password: str = PASSWORD

    def driver_env(self):
        """The variables that the drivers read."""
        return {"GATEWAY": self.url, "EMAIL": self.email, "PASSWORD": self.password}


class Client:
    """What a client has unless its class says otherwise: nothing."""

    name = None
    login = list = tree = mkdir = putdir = getdir = read = range = replace = None
    rename = move = rename_folder = move_folder = trash = delete = delete_folder = None
    link = unlink = fetch = importing = folder_link = fetch_folder = link_list = link_tree = used = listening = None


def below(folder, name):
    """The path of what lies in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def parent_and_name(path):
    """Splits a remote path at its last slash."""
    parent, name = path.rsplit("/", 1)
    return parent or "/", name
