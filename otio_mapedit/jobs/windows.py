"""Whose a folder is on Windows: owners as security identifiers, asked of the system itself.

Nothing here runs elsewhere. The calls are those of advapi32 and kernel32 as Microsoft documents
them; identifiers are compared as text, ``S-1-5-21-...``.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_ulong, c_void_p, c_wchar_p, cast, sizeof
from pathlib import Path
from typing import Any

#: Owners whom a user may trust: the administrators, whose group owns what one of them makes with
#: raised rights, and the system.
TRUSTED = ("S-1-5-32-544", "S-1-5-18")
_FILE_OBJECT, _OWNER = 1, 1
_TOKEN_QUERY, _TOKEN_USER = 8, 1


def may_own(owner: str, user: str) -> bool:
    """Whether a folder of this owner is as good as one's own."""
    return owner == user or owner in TRUSTED


def owner_of(path: Path, libraries: Any = None) -> str:
    """The owner of a file or folder.

    Raises:
        OSError: the system does not say, as on a disk that knows no owners.
    """
    advapi32, kernel32 = _libraries(libraries)
    owner, descriptor = c_void_p(), c_void_p()
    failed = advapi32.GetNamedSecurityInfoW(
        c_wchar_p(str(path)), _FILE_OBJECT, _OWNER, byref(owner), None, None, None,
        byref(descriptor),
    )  # fmt: skip
    if failed:
        raise OSError(failed, "its owner cannot be read")
    try:
        return _text(advapi32, kernel32, owner)
    finally:
        kernel32.LocalFree(descriptor)


def this_user(libraries: Any = None) -> str:
    """The user whom this process runs as.

    Raises:
        OSError: the system does not say.
    """
    advapi32, kernel32 = _libraries(libraries)
    token, size = c_void_p(), c_ulong()
    process = c_void_p(kernel32.GetCurrentProcess())
    if not advapi32.OpenProcessToken(process, _TOKEN_QUERY, byref(token)):
        raise OSError(0, "the user of this process cannot be read")
    try:
        advapi32.GetTokenInformation(token, _TOKEN_USER, None, 0, byref(size))
        held = (c_void_p * (size.value // sizeof(c_void_p) + 2))()
        if not advapi32.GetTokenInformation(token, _TOKEN_USER, held, sizeof(held), byref(size)):
            raise OSError(0, "the user of this process cannot be read")
        # TOKEN_USER begins with a pointer to the identifier.
        return _text(advapi32, kernel32, cast(held, ctypes.POINTER(c_void_p))[0])
    finally:
        kernel32.CloseHandle(token)


def _text(advapi32: Any, kernel32: Any, identifier: Any) -> str:
    found = c_wchar_p()
    if not identifier or not advapi32.ConvertSidToStringSidW(c_void_p_of(identifier), byref(found)):
        raise OSError(0, "an owner without a name")
    try:
        return str(found.value)
    finally:
        kernel32.LocalFree(found)


def c_void_p_of(value: Any) -> c_void_p:
    """A pointer, whether it was one already or is read as a number."""
    return value if isinstance(value, c_void_p) else c_void_p(value)


def _libraries(given: Any) -> tuple[Any, Any]:
    """advapi32 and kernel32, with pointers that are as wide as they are."""
    if given is not None:
        return given.advapi32, given.kernel32
    windll = ctypes.windll  # type: ignore[attr-defined, unused-ignore]
    kernel32 = windll.kernel32
    kernel32.GetCurrentProcess.restype = c_void_p
    kernel32.LocalFree.argtypes = [c_void_p]
    return windll.advapi32, kernel32
