"""Who a session is: what the classes for threads and for asyncio have in common."""

from __future__ import annotations

from ._supermega import Session


class Account:
    """A session, and who it is. Nothing here waits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def email(self) -> str | None:
        """E-mail address of the account, if it has one."""
        return self._session.email

    @property
    def user(self) -> str | None:
        """Handle of the user; nothing for a folder link."""
        return self._session.user

    @property
    def full_name(self) -> str | None:
        """Name of the account's owner, if it is known."""
        return self._session.full_name

    @property
    def api_url(self) -> str:
        """The address of the service."""
        return self._session.api_url

    @property
    def is_folder_link(self) -> bool:
        """Whether it is a folder link, which cannot be changed."""
        return self._session.is_folder_link

    def save(self) -> str:
        """The session as text, for ``connect(session=…)``. It holds no password, and is as good as one: keep it where
        only its owner can read it."""
        return self._session.save()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._session!r}>"
