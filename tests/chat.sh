#!/bin/sh
# The page of examples/chat, in two browsers without a window: see chat.py.
case $RUN$SAN$CONTEXT$CC in
'' | asm | asmcc | cc) ;;
*) RUN=another ;;
esac
[ -z "$RUN$SAN" ] || { echo "the page of the chat is the same with any library"; exit 77; }
chat=${O:-build/cc-asm}/chat
[ -x "$chat" ] || { echo "no chat: its addons are not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
for chromium in chromium chromium-browser google-chrome; do
	command -v $chromium >/dev/null &&
		exec python3 -B tests/chat.py $chromium "$chat" "$@"
done
echo "no chromium: the page of the chat is not tried"
exit 77
