#!/bin/sh
# tools/view.html, in a browser without a window: see view.py.
case $RUN$SAN$CONTEXT$CC in
'' | asm | asmcc | cc) ;;
*) RUN=another ;;
esac
[ -z "$RUN$SAN" ] || { echo "the viewer of traces is the same with any library"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
for chromium in chromium chromium-browser google-chrome; do
	command -v $chromium >/dev/null && exec python3 -B tests/view.py $chromium "$@"
done
echo "no chromium: the viewer of traces is not tried"
exit 77
