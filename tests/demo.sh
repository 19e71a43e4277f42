#!/bin/sh
# What make demo shows a newcomer works.
[ -z "$RUN$SAN" ] || { echo "a newcomer has no tools around it"; exit 77; }
env --default-signal=QUIT true 2>/dev/null ||
	{ echo "this env(1) cannot set signals to their default"; exit 77; }
tools/demo "${O:-.}"
