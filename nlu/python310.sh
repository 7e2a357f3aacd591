#!/usr/bin/env bash
# Prints the path of a Python 3.10 that really runs: from PATH, from pyenv's versions, else what uv can find.
set -u
runs() { [ -n "$1" ] && "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' >/dev/null 2>&1; }
for candidate in "${PYTHON310:-}" "$(command -v python3.10 || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10*/bin/python; do
  if runs "$candidate"; then "$candidate" -c 'import sys; print(sys.executable)'; exit 0; fi
done
found=$(.venv/bin/uv python find --no-project 3.10 2>/dev/null || true)
if runs "$found"; then echo "$found"; exit 0; fi
echo "no Python 3.10 found (Rasa 3.6 needs it). Install it (for example: apt install python3.10, or uv python install 3.10) or set PYTHON310=/path/to/python3.10" >&2
exit 1
