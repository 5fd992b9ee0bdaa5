#!/bin/sh
# Draws the PNG icons of the installed app from the SVG sources with a headless Chromium. Run once after a change of
# the drawing; the results are committed, so that a build needs no image tools.
set -eu
cd "$(dirname "$0")"
out="$(cd .. && pwd)/public/icons"
mkdir -p "$out"
draw() {
  page="$(mktemp --suffix=.html)"
  printf '<body style="margin:0"><img src="file://%s/%s" width="%s" height="%s" style="display:block">' "$PWD" "$1" "$2" "$2" >"$page"
  "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
    --default-background-color=00000000 --window-size="$2,$2" --screenshot="$out/$3" "file://$page" 2>/dev/null
  rm -f "$page"
}
draw bell.svg 192 icon-192.png
draw bell.svg 512 icon-512.png
draw bell-maskable.svg 512 maskable-512.png
draw bell-maskable.svg 180 apple-touch-icon.png
cp bell.svg "$out/bell.svg"
