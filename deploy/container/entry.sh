#!/bin/sh
# The image's entry point: a program's name as first argument runs that program, anything else goes
# to fetchline. By exec, so that signals reach the program itself.
case ${1-} in
  fetchline | fetchline-* | sh) exec "$@" ;;
  *) exec fetchline "$@" ;;
esac
