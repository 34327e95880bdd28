#!/bin/sh
# Edit the two samples and say what came out; called by `make demo`.
set -eu
mkdir -p demo
echo
echo '$ mapedit roughcut samples/talk.mp4 -o demo/talk.otio'
mapedit roughcut samples/talk.mp4 -o demo/talk.otio --force
echo
echo '$ mapedit shots samples/edited.mp4 -o demo/edited.otio'
mapedit shots samples/edited.mp4 -o demo/edited.otio --force
echo
echo '$ mapedit check demo/talk.otio demo/edited.otio'
mapedit check demo/talk.otio demo/edited.otio
for name in talk edited; do
    mapedit convert "demo/$name.otio" "demo/$name-resolve.otio" --for resolve --force --quiet
    mapedit convert "demo/$name.otio" "demo/$name-premiere.otio" --for premiere --force --quiet
done
echo
echo "Open in DaVinci Resolve (File > Import > Timeline):   demo/talk-resolve.otio"
echo "                                                      demo/edited-resolve.otio"
echo "Open in Premiere Pro 25.6 or later (File > Import):   demo/talk-premiere.otio"
echo "                                                      demo/edited-premiere.otio"
echo
echo "Next, with your own footage:"
echo "  $(command -v mapedit) roughcut YOUR_FILE -o cut.otio --for resolve"
