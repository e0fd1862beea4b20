"""Whose certificates are trusted: those of the operating system, also of its proxy, beside those of requests."""

import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter


class _SystemTrust(HTTPAdapter):
    """Check certificates against the operating system's; requests adds its own, or those of REQUESTS_CA_BUNDLE."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Hand the context to direct connections."""
        super().init_poolmanager(*args, **kwargs, ssl_context=ssl.create_default_context())

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Hand it to connections by a proxy."""
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=ssl.create_default_context())


def open_session() -> requests.Session:
    """Open a session for HTTP(S).

    Returns
    -------
    requests.Session
        To be closed, or used by ``with``.

    Notes
    -----
    The variables SSL_CERT_FILE and SSL_CERT_DIR stand in place of the operating system's certificates.
    """
    session = requests.Session()
    session.mount("https://", _SystemTrust())
    return session
