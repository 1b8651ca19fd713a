#!/bin/sh
# A hook for the tests: what it does stands in the name of the interface.
case "$3" in
says) echo "$# $1 $2 $EVERLINE_DEED $EVERLINE_ADDRESS $EVERLINE_PREFIX $EVERLINE_INTERFACE"; exit 3 ;;
hangs) echo "waits for the cloud"; sleep 1000000 ;;
done) exit 0 ;;
moves) [ "$1" = claim ] || exit 0; sleep 1000000 ;;
astray) [ "$1" != ask ] || { echo leads to another host; exit 1; } ;;
esac
