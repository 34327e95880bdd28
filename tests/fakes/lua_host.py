"""Runs Lua scripts as Resolve's menu does: LuaJIT, with or without the sandbox of 21.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lupa.luajit21 as luajit

from tests.fakes.resolve import Resolve, Thing

#: What menu scripts of the free version lack since 21.1, as measured on it.
MISSING = "io os.execute os.remove os.rename os.tmpname os.exit require package ffi debug UIManager"

_PROXY = """
local names, call, value = ...
return function(key)
    return setmetatable({}, {
        __index = function(self, name)
            local kind, found = names(key, name)
            if kind == "method" then
                return function(this, ...)
                    assert(this == self, name .. " is called without its object")
                    return value(call(key, name, select("#", ...), ...))
                end
            end
            return found
        end,
        __tostring = function() return "Resolve object " .. key end,
    })
end
"""


class LuaHost:
    """A Lua state with ``resolve`` and ``bmd``, as a menu script finds them."""

    def __init__(
        self,
        resolve: Resolve,
        wait: Callable[[float], None],
        clock: Callable[[], float],
        sandbox: bool = True,
    ) -> None:
        self.lua = luajit.LuaRuntime(
            unpack_returned_tuples=True, register_eval=False, register_builtins=False
        )
        self.printed: list[str] = []
        self._objects: list[Thing] = []
        self._made: dict[int, Any] = {}
        self._values = self.lua.eval("function(x) return x end")
        self._proxy = self.lua.execute(_PROXY, self._names, self._call, self._values)
        names = self.lua.globals()
        names.resolve = self._to_lua(resolve)
        names.bmd = self.lua.table_from({"wait": wait, "fileexists": self._exists})
        names.print = lambda *words: self.printed.append("\t".join(map(str, words)))
        names.os.time = lambda *_: int(clock())
        if sandbox:
            for path in MISSING.split():
                table, _, name = path.rpartition(".")
                (names[table] if table else names)[name] = None

    def run(self, script: str) -> str:
        """Run a script; gives the error that ended it, empty where none did."""
        try:
            self.lua.execute(script)
        except luajit.LuaError as error:
            return str(error)
        return ""

    @staticmethod
    def _exists(path: str) -> bool:
        from pathlib import Path

        return Path(path).exists()

    def _names(self, key: int, name: str) -> Any:
        found = getattr(self._objects[key], name)
        return ("method", None) if callable(found) else ("value", self._to_lua(found))

    def _call(self, key: int, name: str, count: int, *arguments: Any) -> Any:
        values = [self._to_python(value) for value in arguments]
        values += [None] * (count - len(values))
        return self._to_lua(getattr(self._objects[key], name)(*values))

    def _to_lua(self, value: Any) -> Any:
        if isinstance(value, Thing):
            if id(value) not in self._made:
                self._objects.append(value)
                self._made[id(value)] = self._proxy(len(self._objects) - 1)
            return self._made[id(value)]
        if isinstance(value, list):
            return self.lua.table_from([self._to_lua(item) for item in value])
        if isinstance(value, dict):
            return self.lua.table_from({key: self._to_lua(item) for key, item in value.items()})
        return value

    def _to_python(self, value: Any) -> Any:
        if luajit.lua_type(value) != "table":
            return value
        for thing in self._objects:
            if self.lua.eval("rawequal")(self._made[id(thing)], value):
                return thing
        items = {key: self._to_python(item) for key, item in value.items()}
        numbered = list(range(1, len(items) + 1))
        return [items[number] for number in numbered] if list(items) == numbered else items
