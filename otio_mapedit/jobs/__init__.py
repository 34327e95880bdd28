"""Jobs: how a plugin inside an editing program asks for work, through a folder.

::

    plugin                          folder (0700)                     mapedit watch
    ------                          -------------                     -------------
    exports the timeline    ->      ID.request.otio             ->    a worker per job
    may say more            ->      ID.request.json
    shows how far it is     <-      ID.progress.json, .lua      <-
    gives up                ->      ID.cancel
    imports the result      <-      ID.result.otio              <-
    says what happened      <-      ID.answer.json, .lua        <-    last, so that all is there

Files instead of a local server, because the scripts that DaVinci Resolve lets its free version run
have no sockets, and because a folder that only its owner can enter needs no password. Everything
in a request is checked against lists of what is allowed; nothing in it is ever executed. The
protocol is written down in ``plugins/protocol.md`` and in the two schemas beside this module.
"""
