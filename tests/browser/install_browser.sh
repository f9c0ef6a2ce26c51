#!/usr/bin/env bash
# Makes sure that the browser tests find a browser. Where none can be installed, they are skipped;
# under CI=true that is an error.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done

# Words to put before a command that needs root. Fails where there is no way to become root.
as_root=()
can_be_root() {
  if [ "$(id -u)" -eq 0 ]; then return 0; fi
  as_root=(sudo -n)
  command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

install_with_apt() {
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y chromium fonts-noto-cjk
}

options=()
echo "No browser found for the browser tests; installing Chromium"
if command -v apt-get >/dev/null && can_be_root; then
  if install_with_apt; then exit 0; fi
  options=(--with-deps)
fi
if .venv/bin/python -m playwright install ${options[@]+"${options[@]}"} chromium; then exit 0; fi

echo "WARNING: no browser could be installed, so the browser tests cannot run; install Chromium" >&2
if [ "${CI:-}" = true ]; then exit 1; fi
exit 0
